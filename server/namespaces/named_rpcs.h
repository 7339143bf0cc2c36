#pragma once

// RPCs of all namespaces, made of those of `default`.

#include <vector>

#include "server/engine/rpc.h"
#include "server/namespaces/namespaces.h"

namespace ferrite {

// RPCs that do as `of_default` ones do unless their call is about another namespace. With a policy
// whoever checks rights has said which that is (Caller::name_space); without one there is only
// `default`, and what names another is refused. All must outlive them.
std::vector<Rpc> InNamespaces(std::vector<Rpc> of_default, const Namespaces* namespaces,
                              bool has_policy);

}  // namespace ferrite
