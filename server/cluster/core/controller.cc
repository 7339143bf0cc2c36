#include "server/cluster/core/controller.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/cluster/cluster_map.h"
#include "server/cluster/core/ceiling.h"
#include "server/cluster/core/txn.h"
#include "server/cluster/node_record.h"

namespace ferrite::cluster {

using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using internal::v1::ClusterMap;

void Controller::Settle(const Listing& listing, const Moment& now) {
  // Not absl::Hash, which differs from process to process: a simulation is to repeat.
  uint64_t hash = 14695981039346656037u;
  const auto mix = [&hash](uint64_t value) { hash = (hash ^ value) * 1099511628211u; };
  for (const auto& [id, listed] : listing.nodes) {
    if (listed.node == nullptr || listed.node->draining) continue;
    for (const char letter : id) mix(static_cast<unsigned char>(letter));
    mix(listed.node->boot_id);
  }
  if (hash != nodes_hash_) {
    nodes_hash_ = hash;
    unchanged_since_ns_ = now.steady_ns;
    unsettled_since_ns_ = std::min(unsettled_since_ns_, now.steady_ns);
  }
  if (IsSettled(now)) unsettled_since_ns_ = kNever;
}

bool Controller::IsSettled(const Moment& now) const {
  return unsettled_since_ns_ == kNever || now.steady_ns - unchanged_since_ns_ >= kSettleNs ||
         now.steady_ns - unsettled_since_ns_ >= kMaxSettleNs;
}

int64_t Controller::due_ns(const Moment& now) const {
  int64_t due = takeover_.next_end_ns(now);
  if (unsettled_since_ns_ != kNever)
    due = std::min({due, unchanged_since_ns_ + kSettleNs, unsettled_since_ns_ + kMaxSettleNs});
  if (map_gone_since_ns_ != kNever && map_gone_ttl_ns_ > 0)
    due = std::min(due, map_gone_since_ns_ + map_gone_ttl_ns_);
  return std::max(due, now.steady_ns + 1);
}

std::optional<MapChange> Controller::MakeFirst(const Listing& listing, const Moment& now,
                                               Jitter* jitter) {
  // If there was a map before, nodes may still serve by it.
  int64_t ttl_ns = 0;
  int64_t revision = 0;
  uint64_t floor = 0;
  for (const auto& [id, ceiling] : listing.ceilings) {
    if (ceiling.value && ceiling.value->cluster_uid() == 0) continue;
    revision = std::max(revision, ceiling.mod_revision);
    if (!ceiling.value) ttl_ns = std::max(ttl_ns, kMaxServingTtlMs * kNsPerMs);
    if (!ceiling.value) continue;
    ttl_ns = std::max(ttl_ns, ceiling.value->serving_ttl_ms() * kNsPerMs);
    floor = std::max(floor, ceiling.value->ceiling() + Ceiling::kGapAfterCrashUs);
  }
  if (map_gone_since_ns_ == kNever || revision != map_gone_revision_)
    map_gone_since_ns_ = now.steady_ns;
  map_gone_revision_ = revision;
  map_gone_ttl_ns_ = ttl_ns;
  if (now.steady_ns - map_gone_since_ns_ < map_gone_ttl_ns_ && !settings_.faults.second_map_at_once)
    return std::nullopt;
  if (!IsSettled(now)) return std::nullopt;
  auto change = FirstMap(listing, static_cast<uint64_t>(jitter->NextId()), floor, jitter->Next());
  // Nor may anybody have begun to serve by yet another map meanwhile.
  if (change && !settings_.faults.second_map_at_once)
    change->compares.push_back(NoneModifiedAfter(keys_.ceilings(), listing.revision));
  return change;
}

void Controller::OnListing(const Listing& listing, const MapKeeper& keeper,
                           int64_t controller_revision, const Moment& now, Calls* calls,
                           Jitter* jitter) {
  Settle(listing, now);
  if (call_ != 0) return;
  std::optional<MapChange> change;
  if (const auto& map = keeper.map(); map == nullptr) {
    change = MakeFirst(listing, now, jitter);
  } else {
    map_gone_since_ns_ = kNever;
    takeover_.Observe(*map, listing, now);
    const bool may_move = rebalance_ || IsSettled(now);
    change = NextMap(*map, listing, takeover_.Ready(listing, now), may_move, jitter->Next(),
                     settings_.faults);
    rebalance_ = false;
  }
  std::string value = change ? change->map.SerializeAsString() : "";
  too_large_.clear();
  if (value.size() > kMaxMapBytes) {
    too_large_ = absl::StrFormat("the cluster's next map would have %d bytes; it may have %d",
                                 value.size(), kMaxMapBytes);
    return;
  }
  if (!repeated_value_.empty()) {
    value = std::exchange(repeated_value_, "");
    if (!change) change.emplace();
  }
  WriteCeilings(listing, keeper, now, calls);
  if (!change) return Collect(listing, keeper, calls);
  TxnRequest request;
  *request.add_compare() = ModifiedAt(keys_.map(), keeper.epoch());
  if (controller_revision != 0)
    *request.add_compare() = CreatedAt(keys_.controller(), controller_revision);
  for (auto& compare : change->compares) *request.add_compare() = std::move(compare);
  *request.add_success() = Put(keys_.map(), value);
  sent_value_ = std::move(value);
  sent_slots_given_ = change->slots_given;
  call_ = calls->Send(Purpose::kChangeMap, std::move(request));
}

std::optional<MapReading> Controller::OnChange(const EtcdReply& reply) {
  if (reply.call != call_) return std::nullopt;
  call_ = 0;
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  if (settings_.faults.change_repeated && reply.outcome == EtcdReply::Outcome::kUnknown)
    repeated_value_ = sent_value_;
  if (response == nullptr || !response->succeeded()) return std::nullopt;
  ++changes_;
  slots_given_ += sent_slots_given_;
  return MapReading{.epoch = response->header().revision(), .value = &sent_value_};
}

void Controller::WriteCeilings(const Listing& listing, const MapKeeper& keeper, const Moment& now,
                               Calls* calls) {
  if (takeover_.without_ceiling().empty()) return;
  calls->Send(Purpose::kCollect, takeover_.WriteCeilings(listing, keeper.cluster_uid(), now));
}

std::string Controller::ceiling_missing() const {
  if (takeover_.without_ceiling().empty()) return "";
  return absl::StrFormat(
      "the version ceiling of node %s, which is gone, is not there or cannot be read; one is "
      "written "
      "that is high enough, and its slots wait for %d s",
      takeover_.without_ceiling().front(), kMaxServingTtlMs / 1000);
}

void Controller::Collect(const Listing& listing, const MapKeeper& keeper, Calls* calls) {
  // Ceilings of nodes that are gone and own nothing: the map's floor is above them.
  constexpr size_t kMost = 40;
  const auto& map = keeper.map();
  if (map == nullptr) return;
  TxnRequest request;
  *request.add_compare() = ModifiedAt(keys_.map(), keeper.epoch());
  for (const auto& [id, ceiling] : listing.ceilings) {
    const auto names = [&id = id](const auto& member) { return member.node_id() == id; };
    if (listing.nodes.contains(id) ||
        std::any_of(map->members().begin(), map->members().end(), names))
      continue;
    *request.add_compare() = CreatedAt(keys_.Node(id), 0);
    *request.add_compare() = ModifiedAt(keys_.Ceiling(id), ceiling.mod_revision);
    *request.add_success() = Delete(keys_.Ceiling(id));
    if (request.success_size() == kMost) break;
  }
  if (request.success_size() > 0) calls->Send(Purpose::kCollect, std::move(request));
}

}  // namespace ferrite::cluster
