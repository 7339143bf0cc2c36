#pragma once

// How a failed call looks to the caller: an absl::Status with a message for people, and for
// programs the reason that the server gave.

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

// The reason that the server gave, such as "KEY_TOO_LARGE" (ferrite.v1.ErrorReason without its
// prefix); empty when it gave none, as for an error that arose on the way.
std::string ReasonOf(const absl::Status& status);

// What to tell the caller about a call to the node at `address` that failed with `status`, having
// had `timeout` to finish.
absl::Status ToAbslStatus(const grpc::Status& status, std::string_view address,
                          absl::Duration timeout);

// The same for one operation of a frame or a batch.
absl::Status ToAbslStatus(const v1::OperationError& error);

// What a call to the node at `address` ends with that had `timeout` to finish and did not.
absl::Status NoAnswer(std::string_view address, absl::Duration timeout);
// What a call ends with that was not sent to `address`, as it would have been answered too late.
absl::Status Hopeless(std::string_view address);
// What a call ends with that was not sent, as the node refuses much of what it is sent. Its reason
// is that of a refusal.
absl::Status HeldBack(std::string_view address);

// What calls end with when their client is destroyed, and when their caller cancels them.
absl::Status ClientIsGone();
absl::Status CancelledByCaller();

}  // namespace ferrite
