#pragma once

// Events that have arrived and wait for the caller to take them.

#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/subscription/event_receiver.h"

namespace ferrite {

// Thread-safe.
class WaitingEvents final : public EventReceiver {
 public:
  // Is full once so many events, or bytes of them, wait (at least 1), and until half of them are
  // gone.
  WaitingEvents(size_t most_events, size_t most_bytes, std::string resume_token);

  // See Subscription::Next(). Sets `has_room_again` if the stream had paused and reading is to
  // continue.
  absl::StatusOr<v1::SubscriptionEvent> Next(absl::Duration timeout, bool* has_room_again);

  void Receive(v1::SubscriptionEvent event) override;
  bool HasRoom() override;
  void Lose(const absl::Status&) override {}
  void End(const absl::Status& why) override;
  std::string resume_token() const override;

 private:
  const size_t most_events_;
  const size_t most_bytes_;
  mutable Mutex mutex_;
  Condition changed_;
  std::deque<v1::SubscriptionEvent> events_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of events_
  bool full_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::string resume_token_ ABSL_GUARDED_BY(mutex_);  // of the last event that was taken
};

}  // namespace ferrite
