#pragma once

// What the owner of a slot answered to a forwarded operation, as its caller is to see it.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "ferrite/v1/cache.pb.h"
#include "server/routing/lane_operation.h"
#include "server/routing/routing_tally.h"

namespace ferrite {

// Results without a value are no larger; errors may be.
inline constexpr size_t kMostWithoutValue = 128;

struct ForwardedResult {
  // The field of OperationResult that is set, and the message in it. An error that came from the
  // peer is one, too.
  int field = 0;
  std::string_view message;
  // Instead, where there is no answer of the owner's.
  absl::Status status;

  bool is_error() const { return field == v1::OperationResult::kErrorFieldNumber; }
};

// Of an operation of a parcel that has ended.
ForwardedResult ResultOf(const LaneParcel& parcel, size_t operation);

// The error in a serialized OperationError.
v1::OperationError ErrorIn(std::string_view message);
absl::Status StatusOf(const v1::OperationError& error);

// For who does not route by slot: the node that was taken for the owner answered SLOT_MOVED, which
// it has counted, as nodes see a new map one after the other.
absl::Status OwnersDiffer(const std::string& message,
                          const google::protobuf::Map<std::string, std::string>& facts);

// Why there is no answer although the operation was executed: what leaves no room for it, of which
// there may be so many bytes. Whoever asked must not simply ask again.
absl::Status ExecutedWithoutAnswer(const std::string& what, uint64_t limit_bytes);

// As it is counted.
Forwarded FateOf(const ForwardedResult& result);

// Whether it was not executed as its result found no room in the reply.
bool FoundNoRoom(const ForwardedResult& result);

}  // namespace ferrite
