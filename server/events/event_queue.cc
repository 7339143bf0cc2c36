#include "server/events/event_queue.h"

#include <utility>

namespace ferrite {
namespace {

// Beside one for each event.
constexpr size_t kMostEmptyPlaces = 64;

std::pair<TopicKind, absl::string_view> TopicOf(const RecordedEvent& event) {
  const std::string_view topic = event.topic();
  return {event.topic_kind(), absl::string_view(topic.data(), topic.size())};
}

}  // namespace

bool EventQueue::Push(EventRef event) {
  const uint64_t event_bytes = event->memory_bytes();
  const auto newest = coalesce_ ? newest_.find(TopicOf(*event)) : newest_.end();
  const bool replaces = newest != newest_.end();
  const uint64_t freed_bytes =
      replaces ? events_[newest->second - first_].event->memory_bytes() : 0;
  const uint64_t others = count_ - replaces;
  if (others > 0 &&
      (others >= limits_.events || bytes_ - freed_bytes + event_bytes > limits_.bytes)) {
    return false;
  }
  const uint64_t coalesced = replaces ? Replace(newest) : 0;
  if (coalesce_) newest_.emplace(TopicOf(*event), first_ + events_.size());
  events_.push_back({std::move(event), coalesced});
  bytes_ += event_bytes;
  ++count_;
  return true;
}

uint64_t EventQueue::Replace(Numbers::iterator newest) {
  QueuedEvent& older = events_[newest->second - first_];
  newest_.erase(newest);  // before the event goes in which its key lies
  bytes_ -= older.event->memory_bytes();
  --count_;
  ++coalesced_;
  older.event.reset();
  const uint64_t stood_for = older.coalesced + 1;
  if (events_.size() >= 2 * count_ + kMostEmptyPlaces) Compact();
  return stood_for;
}

void EventQueue::Compact() {
  std::erase_if(events_, [](const QueuedEvent& queued) { return queued.event == nullptr; });
  newest_.clear();
  for (size_t i = 0; i < events_.size(); ++i)
    newest_.emplace(TopicOf(*events_[i].event), first_ + i);
}

std::optional<QueuedEvent> EventQueue::Pop() {
  while (!events_.empty()) {
    QueuedEvent oldest = std::move(events_.front());
    events_.pop_front();
    ++first_;
    if (oldest.event == nullptr) continue;
    if (coalesce_) newest_.erase(TopicOf(*oldest.event));
    bytes_ -= oldest.event->memory_bytes();
    --count_;
    return oldest;
  }
  return std::nullopt;
}

void EventQueue::Clear() {
  newest_.clear();
  first_ += events_.size();
  events_.clear();
  count_ = 0;
  bytes_ = 0;
}

}  // namespace ferrite
