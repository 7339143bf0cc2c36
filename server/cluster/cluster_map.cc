#include "server/cluster/cluster_map.h"

#include <string>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "proto/slot.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {
namespace {

using internal::v1::ClusterMap;
using internal::v1::Member;
using internal::v1::SlotRange;

absl::Status Broken(const std::string& what) {
  return absl::InvalidArgumentError("the cluster's map is broken: " + what);
}

absl::Status CheckMeaning(const ClusterMap& map) {
  if (map.format() == 0) return Broken("it has no format");
  if (map.format() > kMapFormat)
    return absl::FailedPreconditionError(
        absl::StrFormat("the cluster's map has format %d, this program knows %d; it is too old",
                        map.format(), kMapFormat));
  if (map.required_features_size() > 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the cluster's map needs the feature \"%s\", which this program does not know; it is too "
        "old",
        absl::CHexEscape(map.required_features(0).substr(0, kMaxNameBytes))));
  }
  return absl::OkStatus();
}

absl::Status CheckMembers(const ClusterMap& map) {
  if (map.members_size() > kMaxMembers)
    return Broken(
        absl::StrFormat("it has %d members; there may be %d", map.members_size(), kMaxMembers));
  const Member* last = nullptr;
  for (const Member& member : map.members()) {
    if (absl::Status status = CheckName("a member's name", member.node_id()); !status.ok())
      return Broken(std::string(status.message()));
    if (member.boot_id() == 0)
      return Broken(absl::StrFormat("member %s has no boot id", member.node_id()));
    if (last != nullptr && std::tuple(std::string_view(last->node_id()), last->boot_id()) >=
                               std::tuple(std::string_view(member.node_id()), member.boot_id()))
      return Broken(absl::StrFormat("member %s is out of order", member.node_id()));
    last = &member;
  }
  return absl::OkStatus();
}

absl::Status CheckRange(const ClusterMap& map, const SlotRange& range, uint32_t expected_first) {
  const auto broken = [&range](const char* what) {
    return Broken(absl::StrFormat("slots %d to %d %s", range.first(), range.last(), what));
  };
  if (range.first() > expected_first) return broken("come after slots that are nobody's");
  if (range.first() < expected_first) return broken("are named twice or out of order");
  if (range.last() < range.first()) return broken("end before they begin");
  if (range.last() >= kSlotCount) return broken("go beyond the last slot, 16383");
  const auto members = static_cast<uint32_t>(map.members_size());
  if (range.owner() >= members) return broken("have an owner who is no member");
  if (range.has_next_owner() && range.next_owner() >= members)
    return broken("have a next owner who is no member");
  if (range.owned_since() == 0 || range.owned_since() > map.generation())
    return broken("changed their owner in no generation there was");
  if (range.releasing_since() > map.generation())
    return broken("are released since a generation that is yet to come");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckClusterMap(const ClusterMap& map) {
  if (absl::Status status = CheckMeaning(map); !status.ok()) return status;
  if (map.cluster_uid() == 0) return Broken("it has no cluster uid");
  if (map.generation() == 0) return Broken("it has no generation");
  if (map.recent_tags_size() == 0 || map.recent_tags_size() > kMaxTags)
    return Broken(
        absl::StrFormat("it has %d tags; there must be 1 to %d", map.recent_tags_size(), kMaxTags));
  if (absl::Status status = CheckMembers(map); !status.ok()) return status;
  uint32_t next = 0;
  for (const SlotRange& range : map.ranges()) {
    if (absl::Status status = CheckRange(map, range, next); !status.ok()) return status;
    next = range.last() + 1;
  }
  if (next != kSlotCount) return Broken(absl::StrFormat("it ends before slot %d", next));
  return absl::OkStatus();
}

ReadClusterMap ParseClusterMap(std::string_view bytes) {
  if (bytes.size() > kMaxMapBytes)
    return Broken(absl::StrFormat("it has %d bytes; it may have %d", bytes.size(), kMaxMapBytes));
  // All of its messages in one piece of memory, which goes as a whole.
  auto arena = std::make_shared<google::protobuf::Arena>();
  auto* map = google::protobuf::Arena::CreateMessage<ClusterMap>(arena.get());
  if (!map->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return Broken("it is no message");
  if (absl::Status status = CheckClusterMap(*map); !status.ok()) return status;
  return std::shared_ptr<const ClusterMap>(std::move(arena), map);
}

}  // namespace ferrite::cluster
