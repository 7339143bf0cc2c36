#pragma once

// Records the callbacks of a subscription, as words: "ack", "resumed", a payload, "gap", "beat";
// "lost CODE" and "end CODE".

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "client/subscription.h"

namespace ferrite {

inline std::string WordFor(const v1::SubscriptionEvent& event) {
  switch (event.event_case()) {
    case v1::SubscriptionEvent::kAcknowledgement:
      return event.acknowledgement().resumed() ? "resumed" : "ack";
    case v1::SubscriptionEvent::kMessage:
      return event.message().payload();
    case v1::SubscriptionEvent::kKeyEvent:
      return event.key_event().key();
    case v1::SubscriptionEvent::kDiscontinuity:
      return "gap";
    case v1::SubscriptionEvent::kHeartbeat:
      return "beat";
    default:
      return "?";
  }
}

// Thread-safe. Outlives the subscription.
class EventDiary {
 public:
  SubscriptionCallbacks Callbacks() {
    return {
        .on_event = [this](const v1::SubscriptionEvent& event) { Note(WordFor(event)); },
        .on_lost =
            [this](const absl::Status& why) {
              Note("lost " + absl::StatusCodeToString(why.code()), why);
            },
        .on_end =
            [this](const absl::Status& why) {
              Note("end " + absl::StatusCodeToString(why.code()), why);
            },
    };
  }

  // Waits until `count` words were recorded.
  void Await(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return words_.size() >= count; });
  }
  std::vector<std::string> words() {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  // The last status that was recorded.
  absl::Status why() {
    const std::lock_guard lock(mutex_);
    return why_;
  }

 private:
  void Note(std::string word, const absl::Status& why = absl::OkStatus()) {
    const std::lock_guard lock(mutex_);
    words_.push_back(std::move(word));
    if (!why.ok()) why_ = why;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> words_;
  absl::Status why_;
};

}  // namespace ferrite
