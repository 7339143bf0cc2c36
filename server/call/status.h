#pragma once

// The one place where an error of Ferrite becomes a status. Statuses are Abseil's, whose codes are
// those of gRPC; the edge of the engine turns them into those of the wire.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "ferrite/v1/cache.pb.h"
#include "google/rpc/error_details.pb.h"

namespace ferrite {

// A status with a text for people and, in its details, a google.rpc.ErrorInfo for programs: domain
// "ferrite", the reason, facts such as {"limit", "4096"}, and the flag that the text names, if any.
absl::Status MakeError(absl::StatusCode code, v1::ErrorReason reason, std::string_view message,
                       std::initializer_list<std::pair<std::string_view, std::string>> facts = {});

// The same with facts that came from elsewhere, the flag among them.
absl::Status MakeError(absl::StatusCode code, v1::ErrorReason reason, std::string_view message,
                       const google::protobuf::Map<std::string, std::string>& facts);

// An error as it came over the wire: with DetailsOf(status).
absl::Status ErrorFromWire(absl::StatusCode code, std::string_view message,
                           const std::string& details);

// INVALID_ARGUMENT, the most frequent one.
absl::Status InvalidArgument(
    v1::ErrorReason reason, std::string_view message,
    std::initializer_list<std::pair<std::string_view, std::string>> facts = {});

// The message is none of the type that was expected, of ferrite.v1 unless it names its package.
absl::Status Malformed(std::string_view type);

// An operation of a frame is none of those that there are.
absl::Status UnknownOperation();

// A write found no room within the limit that holds now, and nothing could be evicted.
absl::Status MemoryFull(uint64_t limit_bytes);

// The same error, about one of many keys: with its place, from 0, as the fact `index`.
absl::Status AtIndex(const absl::Status& status, size_t index);

// The details as the wire carries them, a serialized google.rpc.Status; empty if there are none.
std::string DetailsOf(const absl::Status& status);

// The ErrorInfo in the details; empty if there are none.
google::rpc::ErrorInfo ErrorInfoOf(const absl::Status& status);

// The same error, which has been counted as a refusal, perhaps by another node: it is not to be
// counted once more (CountRefusal).
absl::Status Counted(absl::Status status);
bool IsCounted(const absl::Status& status);

// The reason that it names; ERROR_REASON_UNSPECIFIED if there is none.
v1::ErrorReason ReasonOf(const absl::Status& status);

}  // namespace ferrite
