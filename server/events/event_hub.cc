#include "server/events/event_hub.h"

#include <optional>

#include "server/events/dispatcher.h"
#include "server/events/open_events.h"

namespace ferrite {

EventHub::EventHub(Store* store, const EventLimits& limits)
    : store_(*store),
      limits_(limits),
      log_(limits.history),
      interests_(&log_, limits.linger, LingeringBytes(limits.subscriber_bytes)),
      budget_(limits.subscriber_bytes, limits.connection_percent) {}

EventHub::~EventHub() { store_.Listen(nullptr); }

PublishResult EventHub::Publish(std::string_view channel, std::string_view payload) {
  tally_.published.fetch_add(1, std::memory_order_relaxed);
  const Interests::OfChannel interest = interests_.FindChannel(channel);
  if (!interest.recorded) return {};
  const uint64_t sequence = log_.Append(RecordedEvent::OfMessage(channel, payload));
  tally_.recorded.fetch_add(1, std::memory_order_relaxed);
  WakeDispatchers();
  return {interest.receivers, sequence};
}

void EventHub::OnEvent(const StoreEvent& event) {
  const Interests::OfKey interest = interests_.FindKey(event.key, event.kind);
  if (!interest.recorded) return;
  OpenEvents& open = OpenEvents::OfThisThread();
  const auto value = interest.with_value ? std::optional(event.value) : std::nullopt;
  log_.Reserve(open.spare(), RecordedEvent::BytesFor(event.key, value), &open.gone);
  open.Add(event, interest.with_value);
}

void EventHub::AfterEvents(bool more) {
  OpenEvents& open = OpenEvents::OfThisThread();
  const size_t count = open.CompleteAll(&log_);
  if (count > 0) tally_.recorded.fetch_add(count, std::memory_order_relaxed);
  if (open.TakeWake(count > 0, more)) WakeDispatchers();
}

void EventHub::WakeDispatchers() {
  for (Dispatcher* dispatcher : dispatchers_) dispatcher->Wake();
}

absl::StatusOr<uint64_t> EventHub::Follow(const std::vector<TopicRef>& topics, uint64_t stream) {
  return interests_.Follow(topics, stream, [this] { ListenIfNeeded(); });
}

void EventHub::Unfollow(const std::vector<TopicRef>& topics, uint64_t stream) {
  interests_.Unfollow(topics, stream, Interests::Clock::now());
}

void EventHub::Sweep() {
  interests_.Sweep(Interests::Clock::now());
  ListenIfNeeded();
}

bool EventHub::StreamBegins() {
  if (streams_.fetch_add(1) < limits_.subscribers) return true;
  streams_.fetch_sub(1);
  return false;
}

void EventHub::ListenIfNeeded() {
  MutexLock lock(&listening_mutex_);
  const bool needed = interests_.FollowsKeys();
  if (needed != listening_) store_.Listen(needed ? this : nullptr);
  listening_ = needed;
}

}  // namespace ferrite
