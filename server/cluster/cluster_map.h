#pragma once

// Reading the map of a cluster, which may have been written by anybody.

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ferrite/internal/v1/cluster_map.pb.h"

namespace ferrite::cluster {

inline constexpr uint32_t kMapFormat = 1;
// As many as the cells of a view can name.
inline constexpr int kMaxMembers = 8192;
// Of ClusterMap.recent_tags.
inline constexpr int kMaxTags = 32;
// Below etcd's limit of 1.5 MiB for a request.
inline constexpr size_t kMaxMapBytes = 1'400'000;

// Whether nodes may act by `map`: it is of a format and has only features that are known, and it
// covers each slot exactly once, by members that are named. FAILED_PRECONDITION if it is newer than
// this program, INVALID_ARGUMENT if it is broken; the text says why.
absl::Status CheckClusterMap(const internal::v1::ClusterMap& map);

// Reads what is stored, and checks it. Fields that are not known are kept in the message.
using ReadClusterMap = absl::StatusOr<std::shared_ptr<const internal::v1::ClusterMap>>;
ReadClusterMap ParseClusterMap(std::string_view bytes);
// Does the same, perhaps without reading again what it has read before.
using MapReader = std::function<ReadClusterMap(std::string_view bytes)>;

}  // namespace ferrite::cluster
