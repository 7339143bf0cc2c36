#include "server/engine/serving_thread.h"

#include <utility>

#include "server/engine/call.h"

namespace ferrite {
namespace {

// When the thread is busy: what is done between steps waits for no more steps than this,
constexpr int kMostSteps = 64;
// and a call that yields for no more than this.
constexpr int kMostStepsBeforeYielded = 16;

}  // namespace

thread_local ServingThread* ServingThread::current_ = nullptr;

void ServingThread::Drain(const absl::Status& status) {
  drained_ = status;
  for (Link* link = calls_.next(); link != &calls_;) {
    Call* const call = static_cast<Call*>(link);
    link = link->next();  // a call that ends takes itself out
    call->Drain();
  }
}

void ServingThread::EndStep() {
  AskThoseOfSoon();
  ++steps_;
  if (steps_ % kMostStepsBeforeYielded == 0) AskOneLater();
  if (steps_ >= kMostSteps) Between();
}

void ServingThread::Between() {
  steps_ = 0;
  if (timers_.next() != Timers::Clock::time_point::max()) timers_.RingDue(Timers::Clock::now());
  if (between_steps_) between_steps_();
  AskThoseOfSoon();
}

bool ServingThread::AskOneLater() {
  if (later_.empty()) return false;
  const std::shared_ptr<WakeTarget> target = std::move(later_.front());
  later_.pop_front();
  target->Advance();
  AskThoseOfSoon();
  return true;
}

void ServingThread::AskThoseOfSoon() {
  // Those that are added meanwhile are asked as well, unless they never come to an end.
  for (size_t left = soon_.size() + kMostSteps; left > 0 && !soon_.empty(); --left) {
    const std::shared_ptr<WakeTarget> target = std::move(soon_.front());
    soon_.pop_front();
    target->Advance();
  }
}

}  // namespace ferrite
