#pragma once

// Streams that go on: what was allowed when they began is asked again whenever the policy has
// changed or the credential's time is over, and they end when it is not allowed any more.

#include <functional>

#include "server/access/access_control.h"
#include "server/engine/rpc.h"

namespace ferrite {

// Whether a caller may have the stream that a request asks for; asked again with the same request,
// whose bytes may be gone by then.
using MayHave = std::function<bool(const Identity& who)>;
// Makes one from a request; INVALID_ARGUMENT if it is malformed.
using ReadWish = std::function<absl::Status(const Request& request, MayHave* may_have)>;

Handler CheckedStream(Method method, Handler plain, ReadWish read_wish, AccessControl* access);

}  // namespace ferrite
