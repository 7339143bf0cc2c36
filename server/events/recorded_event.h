#pragma once

// An event as it is kept in the log and sent: encoded once, for all streams that it goes to.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/events/resume_token.h"
#include "store/event.h"

namespace ferrite {

enum class TopicKind : uint8_t { kChannel, kKey };

// Written by whoever makes it, until it is complete; immutable from then on, and thread-safe. One
// that is made empty may take its place in the log before it is complete.
class RecordedEvent {
 public:
  // A message that was published.
  static std::shared_ptr<RecordedEvent> OfMessage(std::string_view channel,
                                                  std::string_view payload);
  // What happened to a key; with the value only if somebody wants it.
  static std::shared_ptr<RecordedEvent> OfKey(const StoreEvent& event, bool with_value);

  // About what an event of that key and that value, if it is with one, will take in memory.
  static uint64_t BytesFor(std::string_view key, std::optional<std::string_view> value);
  // Completes an event that was made empty, and has its place.
  void Complete(const StoreEvent& event, bool with_value);
  // Whether the rest may be read. Thread-safe, as is sequence() of an event in the log.
  bool is_complete() const { return is_complete_.load(std::memory_order_acquire); }

  TopicKind topic_kind() const { return topic_kind_; }
  // Of events of keys.
  EventKind key_event_kind() const { return key_event_kind_; }
  // The channel or key.
  std::string_view topic() const {
    return std::string_view(encoded_).substr(topic_begin_, topic_bytes_);
  }
  uint64_t sequence() const { return place_.sequence; }

  // The fields of a SubscriptionEvent. That of a key has its value only if asked, and if the event
  // was made with it.
  std::string_view encoded(bool with_value) const {
    return with_value && !encoded_with_value_.empty() ? encoded_with_value_ : encoded_;
  }

  // Whether a value was written that the event was made without.
  bool LacksValue() const {
    const bool written = key_event_kind_ == EventKind::kSet || key_event_kind_ == EventKind::kIncr;
    return topic_kind_ == TopicKind::kKey && written && encoded_with_value_.empty();
  }

  // What it takes in memory, in bytes.
  uint64_t memory_bytes() const {
    return sizeof(*this) + encoded_.size() + encoded_with_value_.size();
  }

  // For the log: gives the event its place.
  void SetPlace(const ResumeToken& place);

 private:
  void Encode(const StoreEvent& event, bool with_value);
  void EncodePlace();

  std::atomic<bool> is_complete_{false};
  TopicKind topic_kind_ = TopicKind::kChannel;
  EventKind key_event_kind_ = EventKind::kSet;
  uint32_t topic_begin_ = 0;  // in encoded_
  uint32_t topic_bytes_ = 0;
  ResumeToken place_{};
  std::string encoded_;
  std::string encoded_with_value_;
};

using EventRef = std::shared_ptr<const RecordedEvent>;

}  // namespace ferrite
