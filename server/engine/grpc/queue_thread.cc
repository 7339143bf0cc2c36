#include "server/engine/grpc/queue_thread.h"

#include <grpcpp/alarm.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "server/steady/timespec.h"

namespace ferrite {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Calls that wait for their thread for longer, so many of them in a row, call a helper: several
// times what it takes to wake one, and more than eight callers at a time make each other wait. In a
// row, as a thread that lost its core for a moment makes those wait that are there, and no others.
constexpr int64_t kPatienceNs = 250'000;
constexpr int kPatienceCalls = 16;
// Helpers are called one after the other, as it shows only then what each has brought.
constexpr int64_t kBetweenCallsNs = 300'000;
// Calls of each method that the front thread waits for when the server is about to stop.
constexpr int kWaitsForAtTheEnd = 512;
// A helper that has had nothing to do for so long sleeps.
constexpr auto kLinger = std::chrono::milliseconds(2);
// A helper that sleeps and still waits for calls looks into its queue as often: a thread that has
// polled may have been put aside between choosing its queue for a call and putting the call there,
// for so long that the front thread has looked before.
constexpr auto kLookAgain = std::chrono::milliseconds(20);

// Comes back from the queue at once, on its thread, and goes.
class Task final : public Tag {
 public:
  explicit Task(std::function<void()> body) : body_(std::move(body)) {}
  // A time that is past rings at once, without gRPC's timers.
  void Post(grpc::CompletionQueue* queue) {
    alarm_.Set(queue, gpr_inf_past(GPR_CLOCK_MONOTONIC), static_cast<Tag*>(this));
  }
  void Proceed(bool) override {
    body_();
    delete this;
  }

 private:
  const std::function<void()> body_;
  grpc::Alarm alarm_;
};

}  // namespace

void ThreadTeam::CallHelper() {
  const int64_t now_ns = SteadyNs();
  int64_t last_ns = last_called_ns_.load(std::memory_order_relaxed);
  if (now_ns - last_ns < kBetweenCallsNs) return;
  if (!last_called_ns_.compare_exchange_strong(last_ns, now_ns, std::memory_order_relaxed)) return;
  for (QueueThread* thread : threads_) {
    if (thread->is_helper() && thread->Call()) return;
  }
}

void ThreadTeam::FrontIsIdle() {
  if (handed_over_.load() != 0) {
    idle_is_due_.store(true);
    // The last may have begun meanwhile, and seen that nothing was due.
    if (handed_over_.load() != 0 || !idle_is_due_.exchange(false)) return;
  }
  idle_();
}

uint64_t ThreadTeam::taken_up() const {
  uint64_t sum = 0;
  for (const QueueThread* thread : threads_) sum += thread->taken_up();
  return sum;
}

void ThreadTeam::Begun() {
  if (handed_over_.fetch_sub(1) == 1 && idle_is_due_.exchange(false)) idle_();
}

QueueThread::~QueueThread() {
  FERRITE_CHECK(!thread_.joinable());
  if (!closed()) {  // never started
    Close();
    queue_->Shutdown();
  }
  void* tag;
  bool ok;
  while (queue_->Next(&tag, &ok)) static_cast<Tag*>(tag)->Proceed(ok);
}

void QueueThread::Start(std::function<void()> on_start) {
  thread_ = std::thread([this, on_start = std::move(on_start)] {
    SetCurrent();
    on_start();
    Run();
  });
}

void QueueThread::Stop() {
  {
    MutexLock lock(&post_mutex_);
    // From its own thread, so that nothing starts an operation while it closes.
    PostLocked([this] {
      Close();
      queue_->Shutdown();
    });
    stopping_ = true;
  }
  Rouse();
  thread_.join();
}

void QueueThread::Post(std::function<void()> body) {
  {
    MutexLock lock(&post_mutex_);
    if (stopping_) return;
    PostLocked(std::move(body));
  }
  if (asleep_.load()) Rouse();
}

void QueueThread::HandOver(std::function<void()> begin) {
  team_.HandsOver();
  Post([this, begin = std::move(begin)] {
    begin();
    team_.Begun();
  });
}

void QueueThread::PostLocked(std::function<void()> body) {
  auto* const task = new Task(std::move(body));
  handed_over_.fetch_add(1, std::memory_order_release);
  task->Post(queue_.get());
}

void QueueThread::NoteWait(int64_t queue_ns) {
  if (queue_ns <= kPatienceNs) {
    long_waits_ = 0;
  } else if (long_waits_ < kPatienceCalls) {
    ++long_waits_;
  } else if (team_.threads_.size() > 1) {
    team_.CallHelper();
  }
}

void QueueThread::TakeUpWhatWaits() {
  stops_soon_ = true;
  if (is_helper()) return;
  for (const auto& arm : when_called_) arm();
}

int QueueThread::calls_to_wait_for(bool called) const {
  if (stops_soon_ && called && !is_helper()) return kWaitsForAtTheEnd;
  if (is_helper()) return called_.load(std::memory_order_relaxed) ? 1 : 0;
  return team_.helpers() == 0 ? kAloneWaitsFor : 1;
}

void QueueThread::Run() {
  for (std::optional<Event> event = Take(); event.has_value(); event = Take()) {
    handed_over_.load(std::memory_order_acquire);
    static_cast<Tag*>(event->tag)->Proceed(event->ok);
    EndStep();
  }
}

std::optional<QueueThread::Event> QueueThread::Take() {
  Event event;
  for (Wait wait = Wait::kNothing;;) {
    // Twice: an operation that this thread completed at once has kicked the queue's poller, and the
    // first look then returns without polling.
    wait = Look(&event);
    if (wait == Wait::kNothing) wait = Look(&event);
    if (wait == Wait::kNothing) {
      this->wait()->Passed(this->wait()->mark());  // what comes from now on has not waited
      if (!is_helper()) team_.FrontIsIdle();
      if (Between()) continue;
      if (!is_helper() && exhausted()) LookAfterSleepers();
      took_up_ = 0;
      if (AskOneLater()) {
        gate()->Rested();  // a call that yields keeps nobody waiting for longer than its step
        continue;
      }
      wait = WaitForEvent(&event);
    }
    if (wait == Wait::kEvent) return event;
    if (wait == Wait::kShutdown) return std::nullopt;
    if (std::exchange(lingered_, false)) {
      Retire();
      if (has_calls() || closed()) continue;
      if (const std::optional<Event> came = Sleep(); came.has_value()) return came;
    }
  }
}

QueueThread::Wait QueueThread::Look(Event* event) {
  switch (queue_->AsyncNext(&event->tag, &event->ok, gpr_inf_past(GPR_CLOCK_MONOTONIC))) {
    case grpc::CompletionQueue::GOT_EVENT:
      return Wait::kEvent;
    case grpc::CompletionQueue::SHUTDOWN:
      return Wait::kShutdown;
    case grpc::CompletionQueue::TIMEOUT:
      break;
  }
  return Wait::kNothing;
}

QueueThread::Wait QueueThread::WaitForEvent(Event* event) {
  SteadyClock::time_point until = timers()->next();
  SteadyClock::time_point lingers_until = SteadyClock::time_point::max();
  if (is_helper() && (called_.load(std::memory_order_relaxed) || !has_calls())) {
    lingers_until = SteadyClock::now() + kLinger;
    until = std::min(until, lingers_until);
  }
  Wait wait = Wait::kNothing;
  if (until == SteadyClock::time_point::max()) {
    wait = queue_->Next(&event->tag, &event->ok) ? Wait::kEvent : Wait::kShutdown;
  } else {
    const auto outcome = queue_->AsyncNext(&event->tag, &event->ok, ToTimespec(until));
    if (outcome == grpc::CompletionQueue::GOT_EVENT) wait = Wait::kEvent;
    if (outcome == grpc::CompletionQueue::SHUTDOWN) wait = Wait::kShutdown;
    lingered_ = wait == Wait::kNothing && SteadyClock::now() >= lingers_until;
  }
  gate()->Rested();
  return wait;
}

bool QueueThread::MayLie(QueueThread* helper) const {
  return helper != this && helper->asleep_.load() &&
         helper->waited_for_.load(std::memory_order_relaxed) > 0;
}

void QueueThread::LookAfterSleepers() {
  for (QueueThread* helper : team_.threads_) {
    Event event;
    if (MayLie(helper) && helper->Look(&event) == Wait::kEvent) {
      helper->Post([event] { static_cast<Tag*>(event.tag)->Proceed(event.ok); });
    }
  }
}

void QueueThread::Retire() {
  if (called_.exchange(false)) team_.helpers_.fetch_sub(1, std::memory_order_relaxed);
}

std::optional<QueueThread::Event> QueueThread::Sleep() {
  asleep_.store(true);
  Event event;
  bool came;
  // The first look is for what came before others could see that this sleeps.
  do {
    came = Look(&event) == Wait::kEvent;
  } while (!came && !AwaitRouse());
  asleep_.store(false);
  return came ? std::optional(event) : std::nullopt;
}

bool QueueThread::AwaitRouse() {
  const auto look_again = SteadyClock::now() + kLookAgain;
  MutexLock lock(&sleep_mutex_);
  while (!rouse_) {
    if (waited_for_.load(std::memory_order_relaxed) == 0) {
      roused_.Wait(&sleep_mutex_);
    } else if (!roused_.WaitUntil(&sleep_mutex_, look_again)) {
      break;
    }
  }
  return std::exchange(rouse_, false);
}

bool QueueThread::Call() {
  if (called_.exchange(true)) return false;
  team_.helpers_.fetch_add(1, std::memory_order_relaxed);
  Post([this] {
    for (const auto& arm : when_called_) arm();
  });
  return true;
}

void QueueThread::Rouse() {
  {
    MutexLock lock(&sleep_mutex_);
    rouse_ = true;
  }
  roused_.NotifyAll();
}

}  // namespace ferrite
