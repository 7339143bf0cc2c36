#pragma once

// What one serving thread knows of where slots are served, and its lanes to other nodes.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/clock.h"
#include "base/links.h"
#include "proto/slot.h"
#include "server/call/caller.h"
#include "server/call/request_scope.h"
#include "server/cluster/published_view.h"
#include "server/cluster/serving_right.h"
#include "server/engine/peer_stream.h"
#include "server/routing/destination.h"
#include "server/routing/lane.h"
#include "server/routing/node_shares.h"
#include "server/routing/remote_stream.h"
#include "server/routing/routing_tally.h"

namespace ferrite {

// Used on its thread, but for the tally.
class ThreadRouting {
 public:
  // All must outlive it.
  ThreadRouting(const cluster::PublishedView* view, const cluster::ServingRight* right,
                const LaneLimits& limits, HeldReplies* replies, ScopeOfCaller scope_of = nullptr)
      : published_(*view), view_(view), right_(*right), scope_of_(std::move(scope_of)) {
    terms_.limits = limits;
    terms_.replies = replies;
    terms_.tally = &tally_;
    terms_.to_flush = &to_flush_;
  }
  // What it reaches other nodes by, the timers of its thread, and what counts work in progress,
  // both of which must outlive it. Before the thread starts.
  void ConnectBy(std::unique_ptr<PeerConnector> connector, Timers* timers, InflightBudget* budget) {
    connector_ = std::move(connector);
    terms_.connector = connector_.get();
    terms_.timers = timers;
    terms_.budget = budget;
  }

  // The view of this moment; good until it is asked for again.
  const cluster::ClusterView& view() { return view_.view(); }
  // What view() or WayTo() has looked at last: a way and what is told of it are of one view.
  const cluster::ClusterView& last_view() const { return view_.last(); }
  // How many views there were: as long as it is the same, so is the view.
  uint64_t view_count() const { return published_.count(); }
  bool may_serve() const { return right_.Holds(BootNs()); }

  // Whether what this caller asks may be forwarded.
  static bool MayForward(const Caller& caller);
  // The trace that goes with what is forwarded; empty: none. What a caller may send in its place
  // would be copied into each of many operations.
  static std::string_view TraceOf(const Caller& caller);

  // Whose the request_ids of this caller are, which the owner has to know; empty: there is one
  // scope for all.
  std::string ScopeOf(const Caller& caller) const {
    return scope_of_ == nullptr ? std::string() : scope_of_(caller);
  }

  // Where a call for a slot goes now, in view().
  Way WayTo(uint32_t slot, bool may_forward) {
    const cluster::ClusterView& now = view();
    return WayOf(now, now.route(slot), may_serve(), may_forward);
  }

  // Why a call for a slot is not executed, in last_view(). Counts it. Not for kServe and kForward.
  absl::Status Refuse(Way way, uint32_t slot);

  // The lane to the node that serves a slot which is forwarded in last_view(); good until the step
  // of the thread ends.
  Lane* LaneTo(uint32_t slot);
  // Has a parcel executed by the peer of a lane, or ends it at once if too much waits for that.
  void Forward(Lane* lane, const std::shared_ptr<LaneParcel>& parcel);
  // The same by the owner of the slot, unless that is not forwarded any more.
  void Forward(uint32_t slot, const std::shared_ptr<LaneParcel>& parcel);

  // Calls a node of view(), which answers with a stream. It stays until it was abandoned.
  RemoteStream* OpenStream(const cluster::ViewNode& node, Method method, std::string_view request,
                           Waker reader, PeerChannel::Metadata metadata = {});

  // Who serves what in view(); good until it is asked for again.
  const NodeShares& shares();
  // Has `waker` used soon after there is a new view, or the right to serve has ended, until
  // Unwatch(who).
  void Watch(const void* who, Waker waker) { watchers_.insert_or_assign(who, std::move(waker)); }
  void Unwatch(const void* who) { watchers_.erase(who); }

  // Whether what peers have answered is far from its limit.
  bool has_room_for_replies() const {
    return terms_.replies->bytes() < terms_.replies->limit_bytes() / 4;
  }

  // Frames of streams that are being answered, in the order in which that began.
  Link* frames() { return &frames_; }

  // Sends what was forwarded since it was called last. If there is a new view, closes lanes to
  // those who are no longer nodes, and wakes those who watch. Call it between the steps of the
  // thread, and soon after there is a new view or the right to serve has ended.
  void Flush();
  // The thread is being closed.
  void Close();

  RoutingTally* tally() { return &tally_; }
  const RoutingTally& tally() const { return tally_; }

 private:
  Lane* MakeLane(const cluster::ViewNode& node);
  // A connection for one more stream, beside the lane's, which must not wait for a place there.
  std::shared_ptr<PeerChannel> ConnectionTo(const cluster::ViewNode& node);
  void CloseLanesToOthers();
  // Whether the right to serve has ended since this was asked last.
  bool HasLostRight();

  const cluster::PublishedView& published_;
  cluster::ViewReader view_;
  const cluster::ServingRight& right_;
  const ScopeOfCaller scope_of_;
  std::unique_ptr<PeerConnector> connector_;
  RoutingTally tally_;
  LaneTerms terms_;
  // By id.
  absl::flat_hash_map<std::string, std::unique_ptr<Lane>> lanes_;
  // The same by the places of their nodes in a view, as far as they were looked for.
  std::vector<Lane*> lane_of_node_;
  uint64_t lanes_of_ = UINT64_MAX;  // ViewReader::taken() of that view
  std::vector<std::unique_ptr<Lane>> closing_;
  std::vector<std::unique_ptr<RemoteStream>> streams_;
  // For streams, which keep those that they use.
  struct Connections {
    Peer peer;
    std::vector<std::shared_ptr<PeerChannel>> channels;
  };
  absl::flat_hash_map<std::string, Connections> connections_;
  std::vector<Lane*> to_flush_;
  uint64_t seen_ = 0;   // views, when Flush() looked for lanes to close
  bool served_ = true;  // when Flush() looked, if anybody watched
  absl::flat_hash_map<const void*, Waker> watchers_;
  Link frames_;
  NodeShares shares_;
  uint64_t shares_of_ = UINT64_MAX;  // ViewReader::taken() of their view
};

}  // namespace ferrite
