#include "client/subscription/waiting_events.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

// Keeps arithmetic on times in range.
constexpr absl::Duration kMaxTimeout = absl::Hours(24 * 365);

}  // namespace

WaitingEvents::WaitingEvents(size_t most_events, size_t most_bytes, std::string resume_token)
    : most_events_(std::max<size_t>(most_events, 1)),
      most_bytes_(std::max<size_t>(most_bytes, 1)),
      resume_token_(std::move(resume_token)) {}

absl::StatusOr<v1::SubscriptionEvent> WaitingEvents::Next(absl::Duration timeout,
                                                          bool* has_room_again) {
  *has_room_again = false;
  const auto end =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(std::min(timeout, kMaxTimeout));
  MutexLock lock(&mutex_);
  while (events_.empty() && !end_.has_value()) {
    if (!changed_.WaitUntil(&mutex_, end) && events_.empty() && !end_.has_value()) {
      return absl::DeadlineExceededError(
          absl::StrCat("no event came within ", absl::FormatDuration(timeout)));
    }
  }
  if (events_.empty()) return *end_;
  v1::SubscriptionEvent event = std::move(events_.front());
  events_.pop_front();
  bytes_ -= event.ByteSizeLong();
  resume_token_ = event.resume_token();
  if (full_ && events_.size() <= most_events_ / 2 && bytes_ <= most_bytes_ / 2) {
    full_ = false;
    *has_room_again = true;
  }
  return event;
}

void WaitingEvents::Receive(v1::SubscriptionEvent event) {
  MutexLock lock(&mutex_);
  bytes_ += event.ByteSizeLong();
  events_.push_back(std::move(event));
  changed_.NotifyAll();
}

bool WaitingEvents::HasRoom() {
  MutexLock lock(&mutex_);
  full_ = events_.size() >= most_events_ || bytes_ >= most_bytes_;
  return !full_;
}

void WaitingEvents::End(const absl::Status& why) {
  MutexLock lock(&mutex_);
  end_ = why;
  changed_.NotifyAll();
}

std::string WaitingEvents::resume_token() const {
  MutexLock lock(&mutex_);
  return resume_token_;
}

}  // namespace ferrite
