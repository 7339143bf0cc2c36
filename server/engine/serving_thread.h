#pragma once

// What a call finds on the thread that serves it. All that happens to a call happens on its thread,
// so a call in progress needs no lock.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "base/links.h"
#include "server/admission/gate.h"
#include "server/call/reply_writer.h"
#include "server/engine/departures.h"
#include "server/engine/queue_wait.h"
#include "server/engine/timers.h"
#include "server/engine/waker.h"
#include "server/slowlog/slow_calls.h"

namespace ferrite {

// A loop drives it (QueueThread): it takes events, each of which is a step of a call, and calls the
// protected functions in between. All but Post() and Current() is for the thread itself.
class ServingThread {
 public:
  // `index` counts the threads from 0. `admissions`, and `slow_calls`, where calls that take long
  // are entered, must outlive it.
  ServingThread(size_t index, Admissions* admissions, SlowCalls* slow_calls)
      : index_(index), gate_(admissions), slow_calls_(*slow_calls) {
    reply_.CountBlocksIn(admissions->budget.blocks());
  }
  virtual ~ServingThread() = default;
  ServingThread(const ServingThread&) = delete;
  ServingThread& operator=(const ServingThread&) = delete;

  // Has the thread call `body` soon; drops it if the thread has been closed. Thread-safe.
  virtual void Post(std::function<void()> body) = 0;

  // A call that was taken up had waited so long for the thread: perhaps others should help. For the
  // thread itself.
  virtual void NoteWait(int64_t queue_ns) = 0;

  // The one whose thread the caller is; null if it is none's.
  static ServingThread* Current() { return current_; }

  size_t index() const { return index_; }
  Gate* gate() { return &gate_; }
  QueueWait* wait() { return &wait_; }
  SlowCalls* slow_calls() const { return &slow_calls_; }
  Timers* timers() { return &timers_; }
  Departures* departures() { return &departures_; }
  // For the message of the current step.
  ReplyWriter* reply() { return &reply_; }

  // Whether no operation may be started any more: its end would never come.
  bool closed() const { return closed_; }

  // Has `body` called between steps: whenever nothing else waits for the thread, and every few
  // steps when it is busy. Before the thread starts.
  void BetweenSteps(std::function<void()> body) { between_steps_ = std::move(body); }

  // Has `body` called when the thread is being closed: it may start no operation, but has to see to
  // it that those in flight end. Before the thread starts.
  void WhenClosed(std::function<void()> body) { when_closed_.push_back(std::move(body)); }

  // A call that has begun, until it unlinks itself.
  void Add(Link* call) { calls_.Append(call); }
  bool has_calls() const { return !calls_.alone(); }
  // Ends every call that would not end by itself, now and from now on, with `status`, as soon as
  // the message that is being written is out; calls that begin from now on are refused with it.
  void Drain(const absl::Status& status);
  // Ends what still waits for something, likewise.
  void EndWaits();
  // What Drain() was given; OK before.
  const absl::Status& drained() const { return drained_; }

  // Has a call's answer asked again: after the current step, or after other calls had their turn.
  void AskSoon(std::shared_ptr<WakeTarget> target) { soon_.push_back(std::move(target)); }
  void AskLater(const std::shared_ptr<WakeTarget>& target);

 protected:
  void SetCurrent() { current_ = this; }
  void Close();

  // A step is over. Asks those of AskSoon(), those of AskLater() for at most a quarter of the time,
  // and every few steps does what waits for an idle moment.
  void EndStep();
  // Nothing waits for the thread at this moment: does what is done between steps. Returns whether
  // any call was asked for it, so that there may be more to do.
  bool Between();
  // Asks the first of AskLater(); false if there is none.
  bool AskOneLater();

 private:
  static constinit thread_local ServingThread* current_;

  // Returns whether there were any.
  bool AskThoseOfSoon();

  const size_t index_;
  Gate gate_;
  SlowCalls& slow_calls_;
  QueueWait wait_;
  Timers timers_;
  Departures departures_{&timers_};
  ReplyWriter reply_;
  std::function<void()> between_steps_;
  std::vector<std::function<void()>> when_closed_;
  int steps_ = 0;  // since Between()
  bool closed_ = false;
  Link calls_;
  absl::Status drained_;
  std::deque<std::shared_ptr<WakeTarget>> soon_;
  std::deque<std::shared_ptr<WakeTarget>> later_;
  int64_t later_ended_ns_ = 0;  // when one of them was asked last, and how long that took
  int64_t later_took_ns_ = 0;
};

}  // namespace ferrite
