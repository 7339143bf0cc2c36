#pragma once

// Answers for those who have a role that is redacted: in place of keys and channels hashes of them,
// and no values.

#include "server/call/method.h"
#include "server/call/reply_writer.h"

namespace ferrite {

// Whether answers of a method have keys or values of others, which such callers may not see.
constexpr bool IsRedacted(Method method) {
  return method == Method::kScan || method == Method::kSubscribe || method == Method::kSlowLog;
}

// Rewrites one message of such a method. False if it could not be read; then nothing is left of it.
bool Redact(Method method, ReplyWriter* message);

}  // namespace ferrite
