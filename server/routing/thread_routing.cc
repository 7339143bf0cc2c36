#include "server/routing/thread_routing.h"

#include <utility>

#include "server/slowlog/trace_parent.h"

namespace ferrite {
namespace {

constexpr char kRouteMetadata[] = "ferrite-route";
// A trace has 55; those of later versions may have more.
constexpr size_t kMostTraceBytes = 128;

Peer PeerOf(const cluster::ViewNode& node) {
  return {.id = node.id, .boot_id = node.boot_id, .address = node.internal_address};
}

}  // namespace

bool ThreadRouting::MayForward(const Caller& caller) {
  return !caller.HasMetadata(kForwardedMetadata) && caller.Metadata(kRouteMetadata) != "direct";
}

std::string_view ThreadRouting::TraceOf(const Caller& caller) {
  const std::string_view text = caller.Metadata("traceparent").value_or("");
  return text.size() <= kMostTraceBytes && ParseTraceParent(text).has_value() ? text : "";
}

absl::Status ThreadRouting::Refuse(Way way, uint32_t slot) {
  if (way == Way::kMoved) ThreadCounters::Add(&tally_.moved, 1);
  return NotServed(way, view_.last(), slot);
}

Lane* ThreadRouting::LaneTo(uint32_t slot) {
  const cluster::ClusterView& now = view_.last();
  if (lanes_of_ != view_.taken()) {
    lane_of_node_.assign(now.nodes().size(), nullptr);
    lanes_of_ = view_.taken();
  }
  const uint16_t node = now.route(slot).node;
  Lane*& lane = lane_of_node_[node];
  if (lane == nullptr) lane = MakeLane(*now.nodes()[node]);
  return lane;
}

void ThreadRouting::Forward(Lane* lane, const std::shared_ptr<LaneParcel>& parcel) {
  if (absl::Status status = lane->Add(parcel); !status.ok()) parcel->End(std::move(status));
}

void ThreadRouting::Forward(uint32_t slot, const std::shared_ptr<LaneParcel>& parcel) {
  const cluster::ClusterView& now = view();
  const Way way = WayOf(now, now.route(slot), /*may_serve=*/true, /*may_forward=*/true);
  if (way == Way::kForward) return Forward(LaneTo(slot), parcel);
  // Of what is served here by now: a moment ago it was not.
  parcel->End(NotServed(way == Way::kServe ? Way::kInTransition : way, now, slot));
}

RemoteStream* ThreadRouting::OpenStream(const cluster::ViewNode& node, Method method,
                                        std::string_view request, Waker reader,
                                        PeerChannel::Metadata metadata) {
  std::erase_if(streams_, [](const auto& stream) { return stream->over(); });
  return streams_
      .emplace_back(std::make_unique<RemoteStream>(ConnectionTo(node), method, request,
                                                   std::move(reader), std::move(metadata)))
      .get();
}

std::shared_ptr<PeerChannel> ThreadRouting::ConnectionTo(const cluster::ViewNode& node) {
  Connections& those = connections_[node.id];
  if (Peer peer = PeerOf(node); those.peer != peer) those = {std::move(peer), {}};
  for (const auto& channel : those.channels) {
    // One of its users is this.
    if (static_cast<size_t>(channel.use_count()) <= terms_.limits.streams_of_connection) {
      return channel;
    }
  }
  return those.channels.emplace_back(connector_->Connect(those.peer.address));
}

const NodeShares& ThreadRouting::shares() {
  const cluster::ClusterView& now = view();
  if (shares_of_ != view_.taken()) {
    shares_ = SharesOf(now);
    shares_of_ = view_.taken();
  }
  return shares_;
}

bool ThreadRouting::HasLostRight() {
  const bool serves = watchers_.empty() || may_serve();
  return std::exchange(served_, serves) && !serves;
}

void ThreadRouting::Flush() {
  const bool is_lost = HasLostRight();
  if (const uint64_t count = published_.count(); count != seen_ || is_lost) [[unlikely]] {
    if (std::exchange(seen_, count) != count) CloseLanesToOthers();
    for (const auto& [who, waker] : watchers_) waker.Wake();
  }
  // None of them asks for it once more meanwhile: what happens to a lane are steps of their own.
  for (Lane* lane : to_flush_) lane->Flush();
  to_flush_.clear();
}

void ThreadRouting::Close() {
  for (auto& [id, lane] : lanes_) lane->Close();
  for (auto& lane : closing_) lane->Close();
  for (auto& stream : streams_) stream->Abandon();
}

Lane* ThreadRouting::MakeLane(const cluster::ViewNode& node) {
  std::unique_ptr<Lane>& lane = lanes_[node.id];
  Peer peer = PeerOf(node);
  if (lane != nullptr && lane->peer() != peer) {
    lane->Close();
    closing_.push_back(std::move(lane));
  }
  if (lane == nullptr) {
    lane = std::make_unique<Lane>(terms_, std::move(peer));
  }
  return lane.get();
}

void ThreadRouting::CloseLanesToOthers() {
  lanes_of_ = UINT64_MAX;
  std::erase_if(closing_, [](const auto& lane) { return lane->over(); });
  absl::flat_hash_map<std::string, Peer> peers;
  for (const auto& node : view().nodes()) peers[node->id] = PeerOf(*node);
  absl::erase_if(connections_, [&peers](const auto& each) {
    const auto peer = peers.find(each.first);
    return peer == peers.end() || peer->second != each.second.peer;
  });
  for (auto each = lanes_.begin(); each != lanes_.end();) {
    const auto lane = each++;
    if (const auto peer = peers.find(lane->first);
        peer != peers.end() && peer->second == lane->second->peer()) {
      continue;
    }
    lane->second->Close();
    closing_.push_back(std::move(lane->second));
    lanes_.erase(lane);
  }
}

}  // namespace ferrite
