#include "server/events/dispatcher.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "server/events/subscription.h"
#include "server/events/subscription_request.h"
#include "server/status.h"
#include "server/wire/wire_bytes.h"

namespace ferrite {
namespace {

// Other calls of the thread have their turn after so many.
constexpr size_t kEventsPerStep = 512;

grpc::Status TooManyStreams(size_t limit) {
  return MakeError(grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_REASON_OVERLOADED,
                   "the server has as many subscriptions as it may have, " + std::to_string(limit) +
                       " (--max-subscribers)",
                   {{"limit", std::to_string(limit)}});
}

}  // namespace

Dispatcher::Dispatcher(QueueThread* thread, EventHub* hub)
    : thread_(*thread), hub_(*hub), alarm_([this] { Ring(); }) {}

Dispatcher::~Dispatcher() { FERRITE_CHECK(streams_.empty()); }

grpc::Status Dispatcher::Open(const grpc::ByteBuffer& bytes, std::function<void()> wake,
                              std::unique_ptr<Feed>* feed) {
  v1::SubscribeRequest wire;
  const WireBytes request_bytes(bytes);
  const std::string_view view = request_bytes.view();
  if (!wire.ParseFromArray(view.data(), static_cast<int>(view.size())))
    return Malformed("SubscribeRequest");
  SubscriptionRequest request;
  if (grpc::Status status = ParseSubscription(wire, hub_.limits().queue, &request); !status.ok())
    return status;
  if (!hub_.StreamBegins()) return TooManyStreams(hub_.limits().subscribers);
  active_ = true;  // before the topics are followed: who finds them also wakes this
  return Subscription::Open(this, &hub_, std::move(request), std::move(wake), feed);
}

void Dispatcher::Wake() {
  if (!active_.load() || woken_.load() || woken_.exchange(true)) return;
  if (QueueThread::Current() != &thread_) PostStep();  // itself it runs this before it rests
}

void Dispatcher::Close() {
  {
    MutexLock lock(&mutex_);
    closed_ = true;
  }
  heartbeats_.clear();
  alarm_.Cancel();
}

void Dispatcher::Add(Subscription* subscription, uint64_t position) {
  if (streams_.empty()) position_ = position;
  for (const TopicRef& topic : subscription->topics()) index_.Add(topic.get(), subscription);
  const Clock::time_point due = Clock::now() + subscription->heartbeat();
  streams_.emplace(subscription, due);
  heartbeats_.emplace(due, subscription);
  alarm_.Set(thread_.queue(), heartbeats_.begin()->first);
}

void Dispatcher::Remove(Subscription* subscription) {
  const auto stream = streams_.find(subscription);
  if (stream == streams_.end()) return;
  for (const TopicRef& topic : subscription->topics()) index_.Remove(topic.get(), subscription);
  heartbeats_.erase({stream->second, subscription});
  later_.erase(subscription);
  streams_.erase(stream);
  if (streams_.empty()) active_ = false;
}

void Dispatcher::WakeSoon(Subscription* subscription) {
  later_.insert(subscription);
  RunSoon();
}

void Dispatcher::RunSoon() {
  if (!woken_.exchange(true)) PostStep();
}

void Dispatcher::PostStep() {
  MutexLock lock(&mutex_);
  if (!closed_) thread_.Do([] {});
}

void Dispatcher::Run() {
  if (!woken_.exchange(false)) return;
  WakeAll(std::exchange(later_, {}));
  if (streams_.empty()) return;
  std::vector<Subscription*> ready;
  const bool more = OfferNewEvents(&ready);
  WakeAll(ready);
  if (more) RunSoon();
}

template <typename Subscriptions>
void Dispatcher::WakeAll(const Subscriptions& subscriptions) {
  for (Subscription* subscription : subscriptions) {
    if (streams_.contains(subscription)) subscription->Wake();
  }
}

bool Dispatcher::OfferNewEvents(std::vector<Subscription*>* ready) {
  const EventLog::Stretch stretch = hub_.log().Read(position_, kEventsPerStep, &events_);
  if (stretch.complete_after > position_) {
    for (const auto& [subscription, due] : streams_) {
      subscription->Lost(position_);
      ready->push_back(subscription);
    }
  }
  BudgetBatch budget(hub_.budget());
  for (const EventRef& event : events_) {
    index_.ForEach(*event, [&](Subscription* subscription) {
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
    Subscription* const subscription = heartbeats_.begin()->second;
    heartbeats_.erase(heartbeats_.begin());
    const Clock::time_point due = subscription->Beat(now);
    const auto stream = streams_.find(subscription);
    if (stream == streams_.end()) continue;  // it ended
    stream->second = due;
    heartbeats_.emplace(due, subscription);
  }
  if (!heartbeats_.empty() && !thread_.closed()) {
    alarm_.Set(thread_.queue(), heartbeats_.begin()->first);
  }
}

}  // namespace ferrite
