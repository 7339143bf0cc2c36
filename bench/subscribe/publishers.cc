#include "bench/subscribe/publishers.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

namespace ferrite::bench {
namespace {

// For messages on a schedule: late ones wait here rather than at the server, which might refuse
// them.
constexpr size_t kMostInFlight = 64;

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Publishers::Publishers(const LoadOptions& options, const Audience* audience, Poll* poll)
    : options_(options),
      audience_(*audience),
      poll_(*poll),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)) {
  Check(timer_ >= 0, "timerfd_create");
  poll_.Add(timer_, EPOLLIN, this);
  for (int i = 0; i < options.publishers; ++i) {
    publishers_.push_back(std::make_unique<Publisher>(this, poll));
  }
}

Publishers::~Publishers() { close(timer_); }

void Publishers::Start() { start_ = Clock::now(); }

bool Publishers::Continue() {
  const bool more = options_.rate > 0 ? SendDue() : SendAnswered();
  return more || !std::all_of(publishers_.begin(), publishers_.end(),
                              [](const auto& publisher) { return publisher->in_flight() == 0; });
}

bool Publishers::SendAnswered() {
  const Clock::time_point now = Clock::now();
  if (publishers_.empty() || now >= start_ + Seconds(options_.seconds)) return false;
  for (const auto& publisher : publishers_) {
    if (publisher->in_flight() == 0 && SubscribersAreClose()) {
      publisher->Send(options_.burst, now);
    }
  }
  return true;
}

bool Publishers::SendDue() {
  const Clock::time_point now = Clock::now();
  for (;;) {
    const Clock::time_point due = start_ + Seconds(static_cast<double>(published_) / options_.rate);
    if (due >= start_ + Seconds(options_.seconds)) return false;
    if (due > now) {
      SetTimer(due);
      return true;
    }
    Publisher& next = *publishers_[published_ % publishers_.size()];
    if (next.in_flight() >= kMostInFlight) return true;  // an answer calls this again
    next.Send(1, due);
  }
}

bool Publishers::SubscribersAreClose() const {
  const auto subscribers = static_cast<uint64_t>(options_.subscribers);
  return published_ * subscribers <= audience_.received() + options_.most_behind * subscribers;
}

void Publishers::OnReady(uint32_t) {
  uint64_t times;
  [[maybe_unused]] const ssize_t got = read(timer_, &times, sizeof(times));
}

void Publishers::SetTimer(Clock::time_point due) {
  const auto nanoseconds = std::max<Clock::rep>(due.time_since_epoch().count(), 1);
  const itimerspec when = {
      .it_interval = {},
      .it_value = {.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000}};
  Check(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr) == 0, "timerfd_settime");
}

Publishers::Publisher::Publisher(Publishers* owner, Poll* poll)
    : owner_(*owner),
      payloads_(static_cast<size_t>(owner->options_.burst),
                std::string(owner->options_.payload_bytes, 'x')),
      connection_(poll, owner->options_.port, owner->options_.MakeDialect(/*subscribes=*/false),
                  this) {}

void Publishers::Publisher::Send(int count, Clock::time_point due) {
  const std::span<std::string> payloads(payloads_.data(), static_cast<size_t>(count));
  for (std::string& payload : payloads) {
    Stamp{due.time_since_epoch().count(), owner_.published_++}.WriteTo(&payload);
    due_.push_back(due);
  }
  connection_.Publish(owner_.options_.topic.channel, payloads);
}

void Publishers::Publisher::OnPublished(uint64_t count) {
  const Clock::time_point now = Clock::now();
  for (uint64_t i = 0; i < count; ++i) {
    owner_.latency_.Record(absl::FromChrono(now - due_.front()));
    due_.pop_front();
  }
}

}  // namespace ferrite::bench
