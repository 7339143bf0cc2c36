#pragma once

// How a failed call looks to the caller: an absl::Status with a message for people, and the
// server's reason for programs.

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ferrite/v1/cache.pb.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace ferrite {

// The payload under which a Status keeps the serialized google.rpc.ErrorInfo of the server.
inline constexpr char kErrorInfoTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

// The payload under which it keeps when to try again, as a serialized google.rpc.RetryInfo.
inline constexpr char kRetryInfoTypeUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

// The reason that the server gave, the name of a value of ferrite.v1.ErrorReason such as
// "KEY_TOO_LARGE"; empty if it gave none, as for an error of the network.
std::string ReasonOf(const absl::Status& status);

// After how long the server wants the caller to try again; absent if it names no time. The library
// has waited so long itself where the call was safe to repeat, its deadline allowed it, and there
// were tries left.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);
// Notes that in a status. `pushback` is what the server said; it is ignored unless it is a time.
void SetRetryAfter(std::string_view pushback, absl::Status* status);

// The outcome of a call to the node at `address`, which had `timeout` to finish and ended with
// `status`, not because this side cancelled it: what a node cancels is UNAVAILABLE.
absl::Status ToAbslStatus(const grpc::Status& status, std::string_view address,
                          absl::Duration timeout);

// The outcome of one operation of a frame or a batch, with the same details as that of a call.
absl::Status ToAbslStatus(const v1::OperationError& error);

// The outcome of a call that ended with OK, but without a message of the kind that was asked for.
// No node answers so; something on the way to it may. INTERNAL.
grpc::Status MalformedAnswer();
// Whether a call ended with an answer of a node: with OK, or with an error in Ferrite's words. What
// gRPC says itself, here or there, has no reason with it.
bool IsAnswer(const grpc::Status& status);
// Whether a call failed as no connection to its node came about: it was not sent. It is not what a
// node says of a connection to another one.
bool CouldNotConnect(const grpc::Status& status);
// Whether a node says that it may not serve for now, as it has not heard of etcd for too long.
bool SaysLeaseLost(const absl::Status& status);
// Whether what failed so may have been executed all the same. It certainly was not only if the
// error says so, by its reason or its fact `executed`.
bool MayBeDone(const absl::Status& status);

// The outcome of a call as that of one key of a batch; OK is none.
v1::OperationError ToOperationError(const absl::Status& status);

// The outcome of a call to the node at `address` that did not finish within `timeout`.
absl::Status NoAnswer(std::string_view address, absl::Duration timeout);
// The outcome of a call that was not sent to `address`, as its answer would have come too late.
absl::Status Hopeless(std::string_view address);
// The outcome of a call that was not sent, as the node refuses much of its load. Its reason is that
// of a refusal by the node.
absl::Status HeldBack(std::string_view address);

// The outcome of a call that was sent, has no answer, and must not be repeated.
absl::Status OutcomeUnknown(const absl::Status& status);

// The outcome of a call whose last try failed with `status`, while an earlier one may have been
// executed: it does not say that nothing was done.
absl::Status AfterLostTry(const absl::Status& status);

// The outcomes of calls whose client is destroyed, and of those that their caller cancels.
absl::Status ClientIsGone();
absl::Status CancelledByCaller();

}  // namespace ferrite
