#pragma once

// How much of the load sent to a node is accepted, and so how much is worth sending.
//
// An overloaded node refuses calls, and refusing a small call costs it no less than serving it. So
// while it refuses, RPCs are sent only as long as
//
//   sent <= kGenerosity * accepted
//
// holds for the recent past. Which ones are sent is random; the others fail locally. The node
// always gets somewhat more than it accepts, so that the rate it accepts can grow again.
//
// Nothing is held back unless the node has refused a call explicitly. Once it has, calls that
// missed their deadline count as not accepted, too; on their own they say nothing, as the deadline
// may have been too short.

#include <array>
#include <chrono>

#include "base/mutex.h"

namespace ferrite {

// Thread-safe. `now` almost never goes back.
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

  // Report how a call that was sent has ended.
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
  // The recent past is one to two of these.
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
