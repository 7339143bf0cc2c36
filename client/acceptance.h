#pragma once

// How much of what it is sent a node accepts, and so how much is worth sending.
//
// A node that has more calls than it can take refuses, and to refuse a small call costs it no less
// than to serve it. So while it refuses, RPCs are sent only in so far as
//
//   sent <= kGenerosity * accepted
//
// holds for the nearest past, chosen at random; the others fail where they are made. The node
// always gets somewhat more than it accepts, so that what it accepts can grow again.
//
// Nothing is held back unless the node has refused a call in so many words. Calls that ended by
// their deadline count as not accepted then; alone they say nothing, as the time may have been too
// short.

#include <array>
#include <chrono>

#include "base/mutex.h"

namespace ferrite {

// Thread-safe. `now` hardly ever goes back.
class Acceptance {
 public:
  using Clock = std::chrono::steady_clock;

  // Whether to send a call. `chance` is uniform in [0, 1).
  bool IsWorthSending(double chance, Clock::time_point now) {
    MutexLock lock(&mutex_);
    if (!IsRefusing(now)) return true;
    Turn(now);
    const double accepted = halves_[0].accepted + halves_[1].accepted;
    const double wanted = halves_[0].wanted + halves_[1].wanted;
    if (chance * (wanted + 1) < kGenerosity * accepted + 1) return true;
    ++halves_[0].wanted;
    return false;
  }

  // How a call that was sent has ended.
  void Accepted(Clock::time_point now) {
    MutexLock lock(&mutex_);
    Turn(now);
    ++halves_[0].wanted;
    ++halves_[0].accepted;
  }
  void Refused(Clock::time_point now) {
    MutexLock lock(&mutex_);
    Turn(now);
    ++halves_[0].wanted;
    refusing_until_ = now + kMemory;
  }
  void Expired(Clock::time_point now) {
    MutexLock lock(&mutex_);
    Turn(now);
    ++halves_[0].wanted;
    if (IsRefusing(now)) refusing_until_ = now + kMemory;
  }

 private:
  static constexpr double kGenerosity = 1.5;
  // The nearest past is one to two of these.
  static constexpr Clock::duration kHalf = std::chrono::milliseconds(500);
  static constexpr Clock::duration kMemory = std::chrono::seconds(1);

  struct Half {
    double wanted = 0;  // calls that were sent and have ended, or were held back
    double accepted = 0;
  };

  bool IsRefusing(Clock::time_point now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return now < refusing_until_;
  }
  void Turn(Clock::time_point now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (now - begin_ < kHalf) return;
    halves_[1] = now - begin_ < 2 * kHalf ? halves_[0] : Half();
    halves_[0] = Half();
    begin_ = now;
  }

  Mutex mutex_;
  Clock::time_point refusing_until_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point begin_ ABSL_GUARDED_BY(mutex_);     // of halves_[0]
  std::array<Half, 2> halves_ ABSL_GUARDED_BY(mutex_);  // this one, and the one before it
};

}  // namespace ferrite
