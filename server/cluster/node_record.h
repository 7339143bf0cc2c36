#pragma once

// Reading what nodes say of themselves, which may have been written by anybody.

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferrite/internal/v1/node_record.pb.h"

namespace ferrite::cluster {

inline constexpr size_t kMaxAddressBytes = 512;
inline constexpr size_t kMaxZoneBytes = 128;
inline constexpr size_t kMaxNodeRecordBytes = 4096;
// Of what anybody may say: the year 2200. So nothing that is added to a version runs over.
inline constexpr uint64_t kMaxVersion = 7'258'118'400'000'000;
// What a node may ask for as VersionCeiling.serving_ttl_ms.
inline constexpr uint32_t kMinServingTtlMs = 2'000;
inline constexpr uint32_t kMaxServingTtlMs = 60'000;

// Whether a node may call itself that; INVALID_ARGUMENT, which says why not.
absl::Status CheckNodeRecord(const internal::v1::NodeRecord& record);

// Reads what is stored for the node `id`. INVALID_ARGUMENT, which says why, if it is not a record
// of this node.
absl::StatusOr<internal::v1::NodeRecord> ParseNodeRecord(std::string_view id,
                                                         std::string_view bytes);
absl::StatusOr<internal::v1::VersionCeiling> ParseVersionCeiling(std::string_view id,
                                                                 std::string_view bytes);
absl::StatusOr<internal::v1::ControllerRecord> ParseControllerRecord(std::string_view bytes);

}  // namespace ferrite::cluster
