#pragma once

// Holds back the messages of a probe channel (SubscribeRequest.probe_channel) until all nodes have
// told what had happened before they came.
//
// The node that has the channel tells a probe after its own events, but knows nothing of others. So
// the probe waits while a marker goes to each other node: a message to a channel of that node,
// which its feed follows. When all markers have come back, so has everything before them.
//
// Why that suffices: let a write be acknowledged before the probe is published. Its node owned the
// slot then, and by the plan of the stream still does when it tells the marker, as feeds end when
// what their nodes serve changes (NodeShare). So the write was recorded there before the marker.
//
// Probes are no events that must not be lost: those that wait are dropped when the nodes change,
// and older ones when too many wait, as a newer one proves more.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/routing/lane_operation.h"
#include "server/routing/node_feed.h"

namespace ferrite {

// Used on one thread.
class ProbeBarrier {
 public:
  static constexpr size_t kMostProbes = 16;
  static constexpr size_t kMostBytes = size_t{64} << 10;

  ProbeBarrier(ThreadRouting* here, EventHub* hub, Waker waker);
  ~ProbeBarrier();

  // A probe has come: a serialized ChannelMessage.
  void Hold(std::string_view message);
  // The payload of a message of a marker channel. False if it is not for this.
  bool ReadMarker(std::string_view payload, uint64_t* number) const;
  // The feeds are others, or not all of them tell: what was sent proves nothing.
  void Drop();

  // To be called when all feeds are live and have no gap: sends markers if probes wait, and returns
  // those that may be told now.
  std::deque<std::string> Pass(const NodeFeeds& feeds);
  // When to call it again at the latest.
  NodeFeed::Clock::time_point due() const;

 private:
  void Send(const NodeFeeds& feeds);

  ThreadRouting& here_;
  EventHub& hub_;
  const Waker waker_;
  const uint64_t stream_;  // tells its markers from those of others who follow the same probes
  uint64_t number_ = 0;
  std::deque<std::string> waiting_;
  size_t waiting_bytes_ = 0;
  std::deque<std::string> held_;  // until marker needed_, or a later one, has come from all
  uint64_t needed_ = 0;
  std::shared_ptr<ForwardedOperations> markers_;
  NodeFeed::Clock::time_point sent_at_;
};

}  // namespace ferrite
