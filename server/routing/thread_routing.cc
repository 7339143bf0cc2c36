#include "server/routing/thread_routing.h"

#include <algorithm>
#include <utility>

namespace ferrite {
namespace {

constexpr char kRouteMetadata[] = "ferrite-route";
// Peers limit the streams of a connection (--max-concurrent-streams).
constexpr long kStreamsOfConnection = 256;

Peer PeerOf(const cluster::ViewNode& node) {
  return {.id = node.id, .boot_id = node.boot_id, .address = node.internal_address};
}

}  // namespace

bool ThreadRouting::MayForward(const Caller& caller) {
  return !caller.HasMetadata(kForwardedMetadata) && caller.Metadata(kRouteMetadata) != "direct";
}

absl::Status ThreadRouting::Refuse(Way way, uint32_t slot) {
  if (way == Way::kMoved) ThreadCounters::Add(&tally_.moved, 1);
  return NotServed(way, view_.last(), slot);
}

absl::Status ThreadRouting::Forward(uint32_t slot,
                                    const std::shared_ptr<LaneOperation>& operation) {
  const cluster::ClusterView& now = view();
  const cluster::Route route = now.route(slot);
  const Way way = WayOf(now, route, /*may_serve=*/true, /*may_forward=*/true);
  if (way == Way::kServe)
    return NotServed(Way::kInTransition, now, slot);  // a moment ago it was not
  if (way != Way::kForward) return NotServed(way, now, slot);
  Lane* const lane = LaneTo(*now.nodes()[route.node]);
  absl::Status status = lane->Add(operation);
  if (status.ok() && std::find(touched_.begin(), touched_.end(), lane) == touched_.end()) {
    touched_.push_back(lane);
  }
  return status;
}

void ThreadRouting::ForwardAgain(uint32_t slot, ForwardedOperations* operations, size_t index,
                                 uint32_t round) {
  const std::shared_ptr<LaneOperation> operation = operations->Again(index, round);
  if (absl::Status status = Forward(slot, operation); !status.ok()) {
    operation->End(std::move(status));
  }
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
    if (channel.use_count() <= kStreamsOfConnection) return channel;
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

void ThreadRouting::Flush() {
  if (const uint64_t count = published_.count(); count != seen_) [[unlikely]] {
    seen_ = count;
    CloseLanesToOthers();
    for (const auto& [who, waker] : watchers_) waker.Wake();
  }
  for (Lane* lane : std::exchange(touched_, {})) lane->Flush();
}

void ThreadRouting::Close() {
  for (auto& [id, lane] : lanes_) lane->Close();
  for (auto& lane : closing_) lane->Close();
  for (auto& stream : streams_) stream->Abandon();
}

Lane* ThreadRouting::LaneTo(const cluster::ViewNode& node) {
  std::unique_ptr<Lane>& lane = lanes_[node.id];
  Peer peer = PeerOf(node);
  if (lane != nullptr && lane->peer() != peer) {
    std::erase(touched_, lane.get());
    lane->Close();
    closing_.push_back(std::move(lane));
  }
  if (lane == nullptr) {
    lane = std::make_unique<Lane>(terms_, std::move(peer));
  }
  return lane.get();
}

void ThreadRouting::CloseLanesToOthers() {
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
    std::erase(touched_, lane->second.get());
    lane->second->Close();
    closing_.push_back(std::move(lane->second));
    lanes_.erase(lane);
  }
}

}  // namespace ferrite
