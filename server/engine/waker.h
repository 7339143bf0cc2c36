#pragma once

// How whatever a call waits for tells the call that it has come.

#include <atomic>
#include <memory>
#include <utility>

namespace ferrite {

class Call;
class ServingThread;

// What a waker refers to: a call for as long as it is there.
struct WakeTarget {
  WakeTarget(ServingThread* on, Call* of) : thread(*on), call(of) {}

  // Has the call take its next step. On the thread.
  void Advance();

  ServingThread& thread;
  Call* call;                      // null once the call is over; for the thread only
  std::atomic<bool> woken{false};  // and not advanced since
  bool yielded = false;            // waits for its turn among those that yield; for the thread only
};

// Copy it to wherever it is needed. Thread-safe. It may outlive its call, but not its thread.
class Waker {
 public:
  explicit Waker(std::shared_ptr<WakeTarget> target) : target_(std::move(target)) {}

  // Has the call's answer asked again, soon, on its thread and never within this function. Does
  // nothing when the call is over.
  void Wake() const;

 private:
  std::shared_ptr<WakeTarget> target_;
};

}  // namespace ferrite
