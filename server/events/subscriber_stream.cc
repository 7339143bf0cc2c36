#include "server/events/subscriber_stream.h"

#include <algorithm>
#include <utility>

#include "proto/wire/event_codec.h"
#include "proto/wire/nesting.h"
#include "server/call/caller.h"
#include "server/call/status.h"
#include "server/events/dispatcher.h"
#include "server/events/topic_bytes.h"

namespace ferrite {
namespace {

constexpr Nesting kEvent = {1, {v1::SubscribeResponse::kEventsFieldNumber}};
// A message is not begun anew after so many bytes: what a stalled client has in flight beside its
// queue.
constexpr size_t kMessageBytes = size_t{64} << 10;
// The same when all streams together hold as much as they may.
constexpr size_t kSmallMessageBytes = size_t{4} << 10;
// An event that is no larger gets room whenever nothing else waits for its stream: so the events of
// others, however many, keep no subscription of small ones from going on.
constexpr size_t kAlwaysRoomBytes = kSmallMessageBytes;
// A client that does not take a message for so long does not read.
constexpr std::chrono::milliseconds kStalled(100);
// How many comparisons of an event with a topic CatchUp makes at a time, about.
constexpr size_t kCatchUpWork = 8192;
constexpr size_t kMostCatchUpEvents = 512;

// Appends an event to the message; a large one by reference.
void WriteEvent(const QueuedEvent& queued, bool with_value, ReplyWriter* writer) {
  const std::string_view encoded = queued.event->encoded(with_value);
  WriteEncodedEvent(
      encoded.size(), queued.coalesced, [&] { writer->AppendShared(encoded, queued.event); },
      writer);
}

}  // namespace

absl::Status SubscriberStream::Open(Dispatcher* dispatcher, EventHub* hub,
                                    SubscriptionRequest request, Waker waker,
                                    std::unique_ptr<Answer>* answer) {
  std::unique_ptr<SubscriberStream> subscription(
      new SubscriberStream(dispatcher, hub, std::move(request), std::move(waker)));
  const uint64_t bytes = BytesOf(subscription->topics());
  if (absl::Status status = subscription->room_.Take(bytes); !status.ok()) return status;
  const absl::StatusOr<uint64_t> since =
      hub->Follow(subscription->request_.topics, subscription->number_);
  if (!since.ok()) {
    ThreadCounters::Current().Count(ShedReason::kGlobs);
    return since.status();
  }
  absl::Status status = subscription->Begin(*since);
  *answer = std::move(subscription);
  return status;
}

SubscriberStream::SubscriberStream(Dispatcher* dispatcher, EventHub* hub,
                                   SubscriptionRequest request, Waker waker)
    : dispatcher_(*dispatcher),
      hub_(*hub),
      request_(std::move(request)),
      waker_(std::move(waker)),
      number_(hub->NewStreamNumber()),
      room_(hub->budget(), current_caller),
      share_(hub->budget()->ShareOf(current_caller == nullptr ? 0 : current_caller->connection())),
      queue_(request_.queue, request_.policy == v1::SLOW_CONSUMER_POLICY_COALESCE) {}

SubscriberStream::~SubscriberStream() {
  hub_.Unfollow(request_.topics, number_);
  dispatcher_.Remove(this);
  hub_.budget()->Change(-static_cast<int64_t>(queue_.bytes() + message_bytes_));
  hub_.StreamEnded();
}

absl::Status SubscriberStream::Begin(uint64_t recorded_since) {
  const uint64_t now = hub_.log().last_sequence();
  taken_ = begins_at_ = now;
  // Events before `now` that are not complete yet happened before this stream began.
  dispatcher_.Add(this, hub_.log().last_complete_sequence());
  if (!request_.resume.has_value()) return absl::OkStatus();
  const auto of_this_log = std::find_if(
      request_.resume->begin(), request_.resume->end(),
      [this](const ResumeToken& place) { return place.process == hub_.log().TokenAt(0).process; });
  if (of_this_log == request_.resume->end()) {
    NoteGap(v1::DISCONTINUITY_REASON_OTHER_SERVER, 0, now);
    return absl::OkStatus();
  }
  const ResumeToken token = *of_this_log;
  if (token.sequence > now) {
    return InvalidArgument(v1::RESUME_TOKEN_INVALID, "resume_token is none that a server gave");
  }
  behind_ = true;
  taken_ = begins_at_ = token.sequence;
  loss_reason_ = v1::DISCONTINUITY_REASON_HISTORY_EXCEEDED;
  if (token.sequence < recorded_since) {
    NoteGap(v1::DISCONTINUITY_REASON_NOT_RECORDED, token.sequence, recorded_since);
  } else {
    CatchUp();  // tells whether the log still has what comes next
  }
  resumed_ = !gap_.has_value();
  return absl::OkStatus();
}

void SubscriberStream::NoteGap(v1::DiscontinuityReason reason, uint64_t after, uint64_t until) {
  gap_ = {reason, after, until};
  taken_ = until;
  hub_.tally()->discontinuities[reason].fetch_add(1, std::memory_order_relaxed);
}

bool SubscriberStream::Offer(const EventRef& event, BudgetBatch* budget) {
  if (too_slow_ || event->sequence() <= taken_) return false;
  if (behind_) {
    EndIfStalled();
    return false;
  }
  const uint64_t before = queue_.bytes();
  const bool was_empty = queue_.empty();
  const bool fits = budget->Allows(*share_.share(), event->memory_bytes()) || HasRoom(*event);
  if (fits && queue_.Push(event)) {
    taken_ = event->sequence();
    budget->Change(static_cast<int64_t>(queue_.bytes()) - static_cast<int64_t>(before));
    share_.Set(queue_.bytes() + message_bytes_);
    return was_empty;
  }
  hub_.tally()->overflows.fetch_add(1, std::memory_order_relaxed);
  FallBehind(event->sequence() - 1);
  budget->Flush();
  EndIfStalled();
  return false;
}

bool SubscriberStream::HasRoom(const RecordedEvent& event) const {
  if (!queue_.empty() || message_bytes_ != 0) return false;
  return event.memory_bytes() <= kAlwaysRoomBytes ||
         hub_.budget()->AllowsFirst(event.memory_bytes());
}

void SubscriberStream::CountQueued(uint64_t before) {
  hub_.budget()->Change(static_cast<int64_t>(queue_.bytes()) - static_cast<int64_t>(before));
  share_.Set(queue_.bytes() + message_bytes_);
}

void SubscriberStream::EndIfStalled() {
  if (request_.policy != v1::SLOW_CONSUMER_POLICY_END || message_bytes_ == 0) return;
  if (Clock::now() - written_at_ < kStalled) return;
  too_slow_ = true;
  hub_.tally()->streams_ended.fetch_add(1, std::memory_order_relaxed);
  const uint64_t before = queue_.bytes();
  queue_.Clear();
  CountQueued(before);
}

void SubscriberStream::FallBehind(uint64_t taken) {
  behind_ = true;
  taken_ = taken;
  loss_reason_ = v1::DISCONTINUITY_REASON_SLOW_CONSUMER;
}

void SubscriberStream::Lost(uint64_t after) {
  if (!behind_) FallBehind(std::max(taken_, after));
}

void SubscriberStream::CatchUp() {
  thread_local std::vector<EventRef> events;
  events.clear();
  const size_t count =
      std::clamp(kCatchUpWork / request_.topics.size(), size_t{8}, kMostCatchUpEvents);
  const EventLog::Stretch stretch = hub_.log().Read(taken_, count, &events);
  if (stretch.complete_after > taken_) NoteGap(loss_reason_, taken_, stretch.complete_after);
  taken_ = stretch.through;
  without_room_ = false;
  SubscriberBudget* const budget = hub_.budget();
  for (const EventRef& event : events) {
    if (!Follows(*event)) continue;
    const bool fits =
        budget->Allows(*share_.share(), budget->held() + queue_.bytes(), event->memory_bytes()) ||
        HasRoom(*event);
    if (fits && queue_.Push(event)) continue;
    without_room_ = queue_.empty();
    taken_ = event->sequence() - 1;
    break;
  }
  events.clear();
  CountQueued(0);
  behind_ = taken_ < dispatcher_.position();
}

bool SubscriberStream::Follows(const RecordedEvent& event) const {
  return std::any_of(request_.topics.begin(), request_.topics.end(),
                     [&event](const TopicRef& topic) { return topic->Matches(event); });
}

uint64_t SubscriberStream::Position() const {
  return behind_ ? taken_ : std::max(taken_, dispatcher_.position());
}

SubscriberStream::Clock::time_point SubscriberStream::Beat(Clock::time_point now) {
  if (const Clock::time_point due = last_sent_ + request_.heartbeat; due > now) return due;
  beat_ = true;
  Wake();
  return now + request_.heartbeat;
}

Answer::Next SubscriberStream::Advance(ReplyWriter* message, CallEnd* end) {
  if (too_slow_) {
    *end = TooSlow();
    return Next::kEnd;
  }
  // A client that does not read holds a message, too.
  const size_t enough = hub_.budget()->Allows(kMessageBytes) ? kMessageBytes : kSmallMessageBytes;
  WriteNotices(message);
  WriteQueued(enough, message);
  if (behind_ && queue_.empty() && message->size() < enough) {
    CatchUp();
    WriteNotices(message);
    WriteQueued(enough, message);
  }
  if (message->size() == 0) {
    if (behind_ && without_room_) {
      dispatcher_.AwaitRoom(this);
    } else if (behind_) {
      return Next::kYield;  // there is more of the log to look through
    }
    if (!std::exchange(beat_, false)) return Next::kWait;
    v1::SubscriptionEvent heartbeat;
    heartbeat.mutable_heartbeat();
    WriteNotice(Position(), &heartbeat, message);
  }
  message_bytes_ = message->size();
  hub_.budget()->Change(static_cast<int64_t>(message_bytes_));
  share_.Set(queue_.bytes() + message_bytes_);
  written_at_ = Clock::now();
  return Next::kMessage;
}

void SubscriberStream::Sent() {
  hub_.budget()->Change(-static_cast<int64_t>(std::exchange(message_bytes_, 0)));
  share_.Set(queue_.bytes());
  last_sent_ = Clock::now();
  beat_ = false;
}

CallEnd SubscriberStream::TooSlow() const {
  std::string token(ResumeToken::kBytes, '\0');
  hub_.log().TokenAt(last_written_).Write(token.data());
  return {MakeError(absl::StatusCode::kResourceExhausted, v1::SUBSCRIBER_TOO_SLOW,
                    "the queue of this subscription was full (" +
                        std::to_string(request_.queue.events) + " events or " +
                        std::to_string(request_.queue.bytes) +
                        " bytes, or what all subscriptions together may take), its client did not "
                        "read, and it asked to be ended then; resume it with the token of the "
                        "last event"),
          {{"ferrite-resume-token-bin", token}}};
}

void SubscriberStream::WriteNotices(ReplyWriter* writer) {
  if (!std::exchange(acknowledged_, true)) {
    v1::SubscriptionEvent notice;
    notice.mutable_acknowledgement()->set_resumed(resumed_);
    WriteNotice(begins_at_, &notice, writer);
  }
  if (const std::optional<Gap> gap = std::exchange(gap_, std::nullopt); gap.has_value()) {
    v1::SubscriptionEvent notice;
    notice.mutable_discontinuity()->set_reason(gap->reason);
    notice.mutable_discontinuity()->set_after_sequence(gap->after);
    WriteNotice(gap->until, &notice, writer);
  }
}

void SubscriberStream::WriteQueued(size_t enough, ReplyWriter* writer) {
  const uint64_t before = queue_.bytes();
  uint64_t delivered = 0;
  while (writer->size() < enough) {
    const std::optional<QueuedEvent> queued = queue_.Pop();
    if (!queued.has_value()) break;
    WriteEvent(*queued, request_.with_values, writer);
    last_written_ = queued->event->sequence();
    ++delivered;
  }
  if (delivered == 0) return;
  CountQueued(before);
  EventTally* const tally = hub_.tally();
  tally->delivered.fetch_add(delivered, std::memory_order_relaxed);
  tally->coalesced.fetch_add(queue_.coalesced() - std::exchange(coalesced_, queue_.coalesced()),
                             std::memory_order_relaxed);
}

void SubscriberStream::WriteNotice(uint64_t sequence, v1::SubscriptionEvent* notice,
                                   ReplyWriter* writer) {
  std::string token(ResumeToken::kBytes, '\0');
  hub_.log().TokenAt(sequence).Write(token.data());
  notice->set_sequence(sequence);
  notice->set_resume_token(std::move(token));
  WriteMessage(kEvent, *notice, writer);
  last_written_ = sequence;
}

}  // namespace ferrite
