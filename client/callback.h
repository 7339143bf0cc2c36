#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

namespace ferrite {

// Receives the outcome of one asynchronous call, once.
template <class Response>
using Callback = absl::AnyInvocable<void(absl::StatusOr<Response>)>;

}  // namespace ferrite
