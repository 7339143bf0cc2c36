#include "server/engine/serving_thread.h"

#include <utility>

#include "base/clock.h"
#include "server/engine/call.h"

namespace ferrite {
namespace {

// When the thread is busy, what is done between steps waits for no more steps than this.
constexpr int kMostSteps = 64;
// Then other calls get so many times as long as those that yield.
constexpr int64_t kShareOfOthers = 3;

}  // namespace

constinit thread_local ServingThread* ServingThread::current_ = nullptr;

void ServingThread::Drain(const absl::Status& status) {
  drained_ = status;
  for (Link* link = calls_.next(); link != &calls_;) {
    Call* const call = static_cast<Call*>(link);
    link = link->next();  // a call that ends takes itself out
    call->Drain();
  }
}

void ServingThread::EndWaits() {
  for (Link* link = calls_.next(); link != &calls_;) {
    Call* const call = static_cast<Call*>(link);
    link = link->next();
    call->EndWait();
  }
}

void ServingThread::Close() {
  closed_ = true;
  for (const auto& body : when_closed_) body();
}

void ServingThread::AskLater(const std::shared_ptr<WakeTarget>& target) {
  if (!std::exchange(target->yielded, true)) later_.push_back(target);
}

void ServingThread::EndStep() {
  AskThoseOfSoon();
  if (!later_.empty() && SteadyNs() - later_ended_ns_ >= kShareOfOthers * later_took_ns_) {
    AskOneLater();
  }
  if (++steps_ >= kMostSteps) Between();
}

bool ServingThread::Between() {
  steps_ = 0;
  if (timers_.next() != Timers::Clock::time_point::max()) timers_.RingDue(Timers::Clock::now());
  if (between_steps_) between_steps_();
  return AskThoseOfSoon();
}

bool ServingThread::AskOneLater() {
  if (later_.empty()) return false;
  const std::shared_ptr<WakeTarget> target = std::move(later_.front());
  later_.pop_front();
  target->yielded = false;
  const int64_t begin_ns = SteadyNs();
  target->Advance();
  later_ended_ns_ = SteadyNs();
  later_took_ns_ = later_ended_ns_ - begin_ns;
  AskThoseOfSoon();
  return true;
}

bool ServingThread::AskThoseOfSoon() {
  if (soon_.empty()) return false;
  // Those that are added meanwhile are asked as well, unless they never come to an end.
  for (size_t left = soon_.size() + kMostSteps; left > 0 && !soon_.empty(); --left) {
    const std::shared_ptr<WakeTarget> target = std::move(soon_.front());
    soon_.pop_front();
    target->Advance();
  }
  return true;
}

}  // namespace ferrite
