#pragma once

#include "server/call/method.h"

namespace ferrite {

// What a method is about.
enum class MethodScope {
  kNamespace,  // the entries or events of one
  kServer,     // the server as a whole: for whoever administers `default`
  kNone,       // neither, such as who calls and who has which slots
};
// A switch without default: a method that is added does not compile until it has been thought of.
MethodScope ScopeOf(Method method);

}  // namespace ferrite
