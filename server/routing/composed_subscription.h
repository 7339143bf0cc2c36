#pragma once

// One stream of events that several nodes tell, each by a feed of its own (NodeFeed).
//
// The order of each node's events is kept; between nodes there is none, and a node that is slow
// holds up nobody else's events. Of each node one message is read ahead and no more, so a client
// that does not read fills the queue at that node, which does what the client chose.
//
// The nodes are those of the plan (FollowedTopics) for the view of this moment. With a new view,
// feeds whose node no longer serves the same slots begin anew, from their places. A feed that tells
// of slots which changed their owner has a gap, and its events come after the Discontinuity that
// says so: at that time the feed is active, so that whoever reads its state again then misses
// nothing. While a node cannot be followed, its callers are told once, after a moment.
//
// This node's own view may be old. That does no harm: each feed is bound to the slots that the
// plan expects, and ends when its node sees it otherwise. But it would not learn of new owners, so
// the stream ends with this node's right to serve.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/call/reply_writer.h"
#include "server/engine/answer.h"
#include "server/engine/timers.h"
#include "server/engine/waker.h"
#include "server/events/dispatcher.h"
#include "server/events/subscription_request.h"
#include "server/events/topic_room.h"
#include "server/routing/composed_writer.h"
#include "server/routing/followed_topics.h"
#include "server/routing/node_feed.h"
#include "server/routing/probe_barrier.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Used on the thread of its call.
class ComposedSubscription final : public Answer {
 public:
  using Clock = std::chrono::steady_clock;

  // `terms` are those of the request, for which there is `room`. All others must outlive it.
  ComposedSubscription(v1::SubscribeRequest request, const SubscriptionRequest& terms,
                       std::unique_ptr<TopicRoom> room, ThreadRouting* here, Dispatcher* dispatcher,
                       EventHub* hub, Waker waker);
  ~ComposedSubscription() override;

  Next Advance(ReplyWriter* message, CallEnd* end) override;
  void Sent() override;

 private:
  // Makes the feeds those of the plan for the view of this moment.
  absl::Status Replan();
  absl::Status StepFeeds(Clock::time_point now);
  // Why the stream cannot begin, if nothing can be followed.
  absl::Status WhyNot() const;
  bool AllLive() const;

  // Append to the message.
  void WriteAcknowledgement(ReplyWriter* writer);
  void WriteGaps(ReplyWriter* writer);
  void WriteLossIfDue(Clock::time_point now, ReplyWriter* writer);
  void WriteEvents(ReplyWriter* writer);
  void WriteEventsOf(NodeFeed* feed, ReplyWriter* writer);
  void WriteProbes(ReplyWriter* writer);
  void WriteHeartbeatIfDue(Clock::time_point now, ReplyWriter* writer);
  // Whether the event is about a key of another node: entries that a node may no longer serve still
  // expire there before they are dropped.
  bool IsOfAnother(const EventFields& event, const NodeFeed& feed) const;
  // Whether the event is a marker or a probe, which go no further for now.
  bool TakenByBarrier(const EventFields& event, NodeFeed* feed);

  void SetTimer(Clock::time_point now);
  CallEnd EndWith(absl::Status status) const;

  ThreadRouting& here_;
  EventHub& hub_;
  const Waker waker_;
  const FollowedTopics topics_;
  const std::unique_ptr<TopicRoom> room_;  // for these
  const std::chrono::milliseconds heartbeat_;
  const bool resumes_;
  const std::string first_token_;  // the caller's
  NodeFeeds feeds_;                // by id
  ComposedWriter events_;

  uint64_t views_ = UINT64_MAX;  // how many there were when the plan was made
  uint64_t generation_ = 0;      // of the plan
  absl::Status unserved_;        // why the plan is not whole
  bool acknowledged_ = false;
  NodeFeed::Setting setting_;
  size_t first_feed_ = 0;  // whose events are written first
  std::optional<ProbeBarrier> barrier_;

  const Clock::time_point begun_at_ = Clock::now();
  std::optional<Clock::time_point> lost_since_;
  bool loss_told_ = false;

  Clock::time_point last_sent_ = Clock::now();
  uint64_t message_bytes_ = 0;  // of the message on its way
  Timer timer_;
};

}  // namespace ferrite
