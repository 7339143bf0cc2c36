#include "server/events/event_hub.h"

#include <utility>

#include "server/events/dispatcher.h"

namespace ferrite {

EventHub::EventHub(Store* store, const EventLimits& limits)
    : store_(*store),
      limits_(limits),
      log_(limits.history),
      interests_(&log_, limits.linger),
      budget_(limits.subscriber_bytes) {}

EventHub::~EventHub() { store_.Listen(nullptr); }

PublishResult EventHub::Publish(std::string_view channel, std::string_view payload) {
  tally_.published.fetch_add(1, std::memory_order_relaxed);
  const Interests::OfChannel interest = interests_.FindChannel(channel);
  if (!interest.recorded) return {};
  return {interest.receivers, Record(RecordedEvent::OfMessage(channel, payload))};
}

void EventHub::OnEvent(const StoreEvent& event) {
  const Interests::OfKey interest = interests_.FindKey(event.key, event.kind);
  if (interest.recorded) Record(RecordedEvent::OfKey(event, interest.with_value));
}

uint64_t EventHub::Record(std::shared_ptr<RecordedEvent> event) {
  const uint64_t sequence = log_.Append(std::move(event));
  tally_.recorded.fetch_add(1, std::memory_order_relaxed);
  for (Dispatcher* dispatcher : dispatchers_) dispatcher->Wake();
  return sequence;
}

uint64_t EventHub::Follow(const std::vector<TopicRef>& topics, uint64_t stream) {
  const uint64_t since = interests_.Follow(topics, stream);
  ListenIfNeeded();
  return since;
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
