#pragma once

// The events that one node tells for a composed stream: one Subscribe after the other, each of
// which continues where the one before stopped. After a break it is tried again, with growing
// pauses.
//
// Where it does not continue exactly, it has a gap, which has to be told before the next of its
// events. Until that has been done its place is the one before the gap, so that whoever resumes
// from there is told as well.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/wire/event_codec.h"
#include "proto/wire/field_reader.h"
#include "server/engine/waker.h"
#include "server/events/dispatcher.h"
#include "server/events/resume_token.h"
#include "server/routing/feed_source.h"
#include "server/routing/followed_topics.h"
#include "server/routing/thread_routing.h"

namespace ferrite {

// Used on one thread.
class NodeFeed {
 public:
  using Clock = std::chrono::steady_clock;

  // What all feeds of a stream share. All must outlive them.
  struct Setting {
    const FollowedTopics* topics;
    ThreadRouting* here;
    Dispatcher* dispatcher;
    EventHub* hub;
    Waker reader;
    std::chrono::milliseconds silence;  // after so long a node is taken to be gone
    // Up to which generation of the map changes of owners have been told.
    const uint64_t* told;
    // Whether the caller has been told that its stream is active: what begins later has a gap.
    const bool* acknowledged;
  };

  // Continues from `token`, which may be of any kind; empty: from now on.
  NodeFeed(const Setting& setting, NodePlan plan, std::string token);
  ~NodeFeed();
  NodeFeed(const NodeFeed&) = delete;
  NodeFeed& operator=(const NodeFeed&) = delete;

  const NodePlan& plan() const { return plan_; }
  // The node is to tell something else from now on, or is another process.
  void Change(NodePlan plan);

  // Does what is due. Not OK if the whole stream is to end for it.
  absl::Status Step(Clock::time_point now);
  // When it has to be called at the latest, if nobody is woken before.
  Clock::time_point due() const;

  bool live() const { return live_; }
  // Whether it continues exactly at its token. Of a live one.
  bool exact() const { return exact_; }
  // Why it is not live; OK if there was nothing yet.
  const absl::Status& why() const { return why_; }

  // A gap that is to be told now, if any; and it has been.
  const std::optional<v1::DiscontinuityReason>& gap() const { return gap_; }
  void GapTold();

  // The next event, if it is there: of a live one, without a gap. It points into keeper(), and
  // stays until Pop().
  const std::optional<EventFields>& Peek();
  const std::shared_ptr<const void>& keeper() const { return message_.keeper; }
  void Pop();
  // What was popped is out. Returns whether that may bring more events.
  bool Sent() { return source_ != nullptr && source_->Sent(); }
  bool yields() const { return source_ != nullptr && source_->yields(); }

  // After the last event that was popped; absent if there was none.
  const std::optional<ResumeToken>& place() const { return place_; }
  // The number of the last marker that came (Marker::kNumber).
  uint64_t marker() const { return marker_; }
  void SetMarker(uint64_t number) { marker_ = number; }

 private:
  absl::Status Open(Clock::time_point now);
  absl::Status Request();
  // Takes the acknowledgement, which is the first event.
  void TakeAcknowledgement();
  absl::Status End(const CallEnd& end, Clock::time_point now);
  // It is to be tried again after a pause.
  void Fail(FeedEnd reason, absl::Status why, Clock::time_point now);
  void Close();
  // Reads the next event of the message, or the next message.
  void Read();
  absl::Status Unreachable(const std::string& why) const;

  const Setting& setting_;
  NodePlan plan_;
  std::string token_;  // to continue from
  std::optional<ResumeToken> place_;
  std::optional<ResumeToken> place_after_gap_;
  bool has_room_ = false;  // is counted as a stream of this node
  std::unique_ptr<FeedSource> source_;
  bool live_ = false;
  bool exact_ = false;
  absl::Status why_;
  std::optional<v1::DiscontinuityReason> gap_;
  uint64_t told_ = 0;  // the generation of what it has told
  uint64_t marker_ = 0;

  int failures_ = 0;
  Clock::time_point retry_at_ = Clock::time_point::min();
  Clock::time_point heard_at_;

  FeedMessage message_;
  std::optional<FieldReader> events_;  // in message_
  std::optional<EventFields> event_;
};

using NodeFeeds = std::vector<std::unique_ptr<NodeFeed>>;

}  // namespace ferrite
