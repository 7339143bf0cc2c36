#pragma once

// One stream of events. It is in one of two states:
//
//   Live.   The dispatcher offers it each new event that it follows, and it queues them.
//   Behind. It reads the log by itself, from `taken_` on, whenever its queue is empty, until it has
//           caught up with the dispatcher; then it is live. This is how a stream is resumed, and
//           what becomes of one whose queue is full: events wait in the log, which is shared, and
//           not for each stream. Those that the log loses meanwhile are announced by a
//           Discontinuity.
//
// So whatever is sent comes in the order of the log.
//
// To drop what does not fit into a queue, as others do, would be simpler. But a burst of a second
// would then lose events that are still in memory, and every subscriber would have to be ready for
// that.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "server/call/reply_writer.h"
#include "server/engine/answer.h"
#include "server/engine/waker.h"
#include "server/events/event_hub.h"
#include "server/events/event_queue.h"
#include "server/events/subscription_request.h"
#include "server/events/topic_room.h"

namespace ferrite {

class Dispatcher;

// Used only on the thread of its dispatcher.
class SubscriberStream final : public Answer {
 public:
  using Clock = std::chrono::steady_clock;

  // Follows what is asked for, until it goes. INVALID_ARGUMENT if the resume token is ahead of the
  // log; RESOURCE_EXHAUSTED as of Interests::Follow().
  static absl::Status Open(Dispatcher* dispatcher, EventHub* hub, SubscriptionRequest request,
                           Waker waker, std::unique_ptr<Answer>* answer);
  ~SubscriberStream() override;

  // For the dispatcher. An event that this follows, in the order of the log; may come twice in a
  // row. Returns whether the stream has to be woken for it: if others wait already, it will send
  // anyhow.
  bool Offer(const EventRef& event, BudgetBatch* budget);
  // Events after that sequence were lost before they could be offered.
  void Lost(uint64_t after);
  // Sends what there is.
  void Wake() { waker_.Wake(); }
  // Sends a sign of life if nothing was sent for the heartbeat time. Returns when to ask again.
  Clock::time_point Beat(Clock::time_point now);

  // For its own use: when this has its turn to look for room; 0: it does not wait for any.
  uint64_t* room_turn() { return &room_turn_; }

  const std::vector<TopicRef>& topics() const { return request_.topics; }
  std::chrono::milliseconds heartbeat() const { return request_.heartbeat; }

  Next Advance(ReplyWriter* message, CallEnd* end) override;
  void Sent() override;

 private:
  SubscriberStream(Dispatcher* dispatcher, EventHub* hub, SubscriptionRequest request, Waker waker);

  // Where the stream begins: at its resume token as far as that is possible.
  absl::Status Begin(uint64_t recorded_since);
  void NoteGap(v1::DiscontinuityReason reason, uint64_t after, uint64_t until);
  // What comes after that sequence has no room in the queue.
  void FallBehind(uint64_t taken);
  // Whether there is room for an event beyond that of others, as none waits: always if it is small.
  bool HasRoom(const RecordedEvent& event) const;
  // Counts what waits, which was so many bytes before.
  void CountQueued(uint64_t before);
  // Has the stream end if that is its policy and its client does not read. That the queue is full
  // is not enough: so much may come at once, or others may have taken what there is for all.
  void EndIfStalled();
  // Reads a stretch of the log into the queue, which must be empty, and notes if that was all.
  void CatchUp();
  bool Follows(const RecordedEvent& event) const;
  // Up to where nothing is left to be sent but what is queued.
  uint64_t Position() const;
  CallEnd TooSlow() const;

  // Append to the message that is being made.
  void WriteNotices(ReplyWriter* writer);
  void WriteQueued(size_t enough, ReplyWriter* writer);
  void WriteNotice(uint64_t sequence, v1::SubscriptionEvent* notice, ReplyWriter* writer);

  Dispatcher& dispatcher_;
  EventHub& hub_;
  const SubscriptionRequest request_;
  const Waker waker_;
  const uint64_t number_;

  TopicRoom room_;
  EventShare share_;
  EventQueue queue_;
  bool behind_ = false;
  bool without_room_ = false;  // behind, as there was none for the next event
  uint64_t room_turn_ = 0;     // of the dispatcher
  bool too_slow_ = false;      // and is to end for it
  uint64_t taken_ = 0;         // up to here events are queued, or are not followed, or were lost
  uint64_t last_written_ = 0;  // the place of the last event or notice
  v1::DiscontinuityReason loss_reason_ = v1::DISCONTINUITY_REASON_SLOW_CONSUMER;

  // Notices that are to be sent before what is queued.
  bool acknowledged_ = false;
  uint64_t begins_at_ = 0;  // the place of the acknowledgement
  bool resumed_ = false;
  struct Gap {
    v1::DiscontinuityReason reason;
    uint64_t after;
    uint64_t until;
  };
  std::optional<Gap> gap_;
  bool beat_ = false;  // a heartbeat is due, if there is nothing else

  uint64_t message_bytes_ = 0;    // of the message on its way
  Clock::time_point written_at_;  // when that was begun
  Clock::time_point last_sent_ = Clock::now();
  uint64_t coalesced_ = 0;  // as far as it was counted
};

}  // namespace ferrite
