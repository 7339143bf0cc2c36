#include "server/events/dispatcher.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "server/call/status.h"
#include "server/events/subscriber_stream.h"
#include "server/events/subscription_request.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

// Other calls of the thread have their turn after so many.
constexpr size_t kEventsPerStep = 512;
// How often to look whether there is room for events, as other threads make it, too.
constexpr std::chrono::milliseconds kLookForRoom(50);
// How many streams look then: each reads the log, perhaps in vain.
constexpr size_t kStreamsThatLook = 64;

}  // namespace

absl::Status BeginStream(EventHub* hub) {
  if (hub->StreamBegins()) return absl::OkStatus();
  const size_t limit = hub->limits().subscribers;
  ThreadCounters::Current().Count(ShedReason::kSubscribers);
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "the server has as many subscriptions as it may have, " + std::to_string(limit) +
                       " (--max-subscribers)",
                   {{"limit", std::to_string(limit)}});
}

Dispatcher::Dispatcher(ServingThread* thread, EventHub* hub)
    : thread_(*thread),
      hub_(*hub),
      heartbeat_timer_([this] { Ring(); }),
      room_timer_([this] { WakeForRoom(); }) {}

Dispatcher::~Dispatcher() { FERRITE_CHECK(streams_.empty()); }

absl::Status Dispatcher::Open(Turn* turn) {
  v1::SubscribeRequest wire;
  if (!turn->request().ParseInto(&wire)) return Malformed("SubscribeRequest");
  std::unique_ptr<Answer> stream;
  absl::Status status = Follow(wire, turn->waker(), &stream);
  if (status.ok()) turn->Later(std::move(stream));
  return status;
}

absl::Status Dispatcher::Follow(const v1::SubscribeRequest& wire, const Waker& waker,
                                std::unique_ptr<Answer>* stream) {
  SubscriptionRequest request;
  if (absl::Status status = ParseSubscription(wire, hub_.limits().queue, &request); !status.ok())
    return status;
  if (absl::Status status = BeginStream(&hub_); !status.ok()) return status;
  active_ = true;  // before the topics are followed: who finds them also wakes this
  return SubscriberStream::Open(this, &hub_, std::move(request), waker, stream);
}

void Dispatcher::Wake() {
  if (!active_.load() || woken_.load() || woken_.exchange(true)) return;
  if (ServingThread::Current() != &thread_) PostStep();  // itself it runs this before it rests
}

void Dispatcher::Close() {
  heartbeats_.clear();
  heartbeat_timer_.Cancel();
  room_timer_.Cancel();
}

void Dispatcher::Add(SubscriberStream* subscription, uint64_t position) {
  if (streams_.empty()) position_ = position;
  for (const TopicRef& topic : subscription->topics()) index_.Add(topic, subscription);
  const Clock::time_point due = Clock::now() + subscription->heartbeat();
  streams_.emplace(subscription, due);
  heartbeats_.emplace(due, subscription);
  heartbeat_timer_.Set(thread_.timers(), heartbeats_.begin()->first);
}

void Dispatcher::Remove(SubscriberStream* subscription) {
  const auto stream = streams_.find(subscription);
  if (stream == streams_.end()) return;
  for (const TopicRef& topic : subscription->topics()) index_.Remove(*topic, subscription);
  heartbeats_.erase({stream->second, subscription});
  without_room_.erase(*subscription->room_turn());
  streams_.erase(stream);
  if (streams_.empty()) active_ = false;
}

void Dispatcher::AwaitRoom(SubscriberStream* subscription) {
  if (without_room_.empty()) room_timer_.Set(thread_.timers(), Clock::now() + kLookForRoom);
  if (*subscription->room_turn() != 0) return;
  *subscription->room_turn() = ++room_turns_;
  without_room_.emplace(room_turns_, subscription);
}

void Dispatcher::WakeForRoom() {
  for (size_t i = 0; i < kStreamsThatLook && !without_room_.empty(); ++i) {
    if (!hub_.budget()->Allows(1)) break;
    SubscriberStream* const stream = without_room_.begin()->second;
    without_room_.erase(without_room_.begin());
    *stream->room_turn() = 0;
    stream->Wake();
  }
  if (!without_room_.empty()) room_timer_.Set(thread_.timers(), Clock::now() + kLookForRoom);
}

void Dispatcher::PostStep() {
  thread_.Post([] {});
}

void Dispatcher::Run() {
  if (!woken_.exchange(false) || streams_.empty()) return;
  std::vector<SubscriberStream*> ready;
  const bool more = OfferNewEvents(&ready);
  for (SubscriberStream* stream : ready) stream->Wake();
  if (more && !woken_.exchange(true)) PostStep();
}

bool Dispatcher::OfferNewEvents(std::vector<SubscriberStream*>* ready) {
  const EventLog::Stretch stretch = hub_.log().Read(position_, kEventsPerStep, &events_);
  if (stretch.complete_after > position_) {
    for (const auto& [subscription, due] : streams_) {
      subscription->Lost(position_);
      ready->push_back(subscription);
    }
  }
  BudgetBatch budget(hub_.budget());
  for (const EventRef& event : events_) {
    index_.ForEach(*event, [&](SubscriberStream* subscription) {
      if (subscription->Offer(event, &budget)) ready->push_back(subscription);
    });
  }
  budget.Flush();
  position_ = stretch.through;
  const bool more = events_.size() == kEventsPerStep;
  events_.clear();
  return more;
}

void Dispatcher::Ring() {
  const Clock::time_point now = Clock::now();
  while (!heartbeats_.empty() && heartbeats_.begin()->first <= now) {
    SubscriberStream* const stream = heartbeats_.begin()->second;
    heartbeats_.erase(heartbeats_.begin());
    const Clock::time_point due = stream->Beat(now);
    streams_.at(stream) = due;
    heartbeats_.emplace(due, stream);
  }
  if (!heartbeats_.empty()) heartbeat_timer_.Set(thread_.timers(), heartbeats_.begin()->first);
}

}  // namespace ferrite
