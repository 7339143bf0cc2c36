#include "server/cluster/core/map_keeper.h"

#include <string>
#include <utility>

#include "absl/strings/str_format.h"

namespace ferrite::cluster {

using internal::v1::ClusterMap;

MapKeeper::Verdict MapKeeper::Doubt(const std::string& why) {
  trouble_ = absl::FailedPreconditionError(why);
  return Verdict::kDoubtful;
}

std::string MapKeeper::Contradiction(const ClusterMap& map) const {
  if (cluster_uid_ == 0) return "";
  if (map.cluster_uid() != cluster_uid_)
    return absl::StrFormat("the cluster's uid was %x and is %x", cluster_uid_, map.cluster_uid());
  if (map.generation() < generation_)
    return absl::StrFormat("the generation of the cluster's map was %d and is %d", generation_,
                           map.generation());
  const uint64_t since = map.generation() - generation_;
  if (since < static_cast<uint64_t>(map.recent_tags_size()) &&
      map.recent_tags(static_cast<int>(since)) != tag_)
    return absl::StrFormat("the cluster's map has another generation %d than it had", generation_);
  return "";
}

MapKeeper::Verdict MapKeeper::Take(const MapReading& reading, int64_t known_epoch) {
  const bool readable = map_ != nullptr || epoch_ == 0;
  if (reading.epoch == epoch_ && readable && reading.value == nullptr) return Verdict::kSame;
  if (reading.epoch < epoch_ && !faults_.epoch_back_accepted) {
    if (reading.epoch >= known_epoch) return Verdict::kOutdated;
    if (reading.epoch == 0) return Doubt("the cluster's map is gone");
    return Doubt(absl::StrFormat("the epoch of the cluster's map was %d and is %d", known_epoch,
                                 reading.epoch));
  }
  if (reading.value == nullptr)
    return faults_.epoch_back_accepted ? Verdict::kSame
                                       : Doubt("a newer map came without its value");

  auto map = read_(*reading.value);
  if (!map.ok()) {
    epoch_ = reading.epoch;
    map_ = nullptr;
    trouble_ = map.status();
    return Verdict::kUnreadable;
  }
  if (!faults_.epoch_back_accepted) {
    if (const std::string why = Contradiction(**map); !why.empty()) return Doubt(why);
    const bool same = (*map)->generation() == generation_ && map_ != nullptr;
    if (same && *map != map_ && (*map)->SerializeAsString() != map_->SerializeAsString())
      return Doubt(absl::StrFormat("generation %d of the cluster's map was changed", generation_));
    if (same && reading.epoch == epoch_) return Verdict::kSame;
  }
  Accept(reading.epoch, *std::move(map));
  return Verdict::kNewer;
}

void MapKeeper::Accept(int64_t epoch, Map map) {
  const uint64_t since = map->generation() - generation_;
  if (cluster_uid_ != 0 && since >= static_cast<uint64_t>(map->recent_tags_size())) ++leaps_;
  epoch_ = read_epoch_ = epoch;
  generation_ = map->generation();
  tag_ = map->recent_tags(0);
  cluster_uid_ = map->cluster_uid();
  map_ = std::move(map);
  trouble_ = absl::OkStatus();
}

void MapKeeper::Believe(const MapReading& reading) {
  if (auto map = read_(*reading.value); map.ok()) Accept(reading.epoch, *std::move(map));
}

}  // namespace ferrite::cluster
