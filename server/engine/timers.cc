#include "server/engine/timers.h"

namespace ferrite {

void Timers::RingDue(Clock::time_point now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    Timer* const timer = due_.begin()->second;
    timer->Cancel();
    timer->ring_();
  }
}

void Timer::Set(Timers* timers, Timers::Clock::time_point due) {
  Cancel();
  timers_ = timers;
  place_ = timers->due_.emplace(due, this);
}

void Timer::Cancel() {
  if (timers_ == nullptr) return;
  timers_->due_.erase(place_);
  timers_ = nullptr;
}

}  // namespace ferrite
