#pragma once

// How long an event may have lain in a completion queue before its thread took it.
//
// gRPC does not tell when an event came. But a queue is first in, first out, and the thread puts
// events into it itself: whenever it starts an operation, such as Finish, the end of that operation
// comes as an event. What the thread takes after such an event was put in after it, and so after
// the operation was started. Hence, for the event that the thread has just taken,
//
//   the latest start of an operation whose event was taken before
//     <= the moment at which the event was put in
//
// and it waited no longer than the thread has worked since that start. Time in which the thread had
// nothing to do does not count: an event that comes then is taken at once.
//
// An example. Three calls come in one read from a socket; each takes 10 us:
//
//   taken      call 1   call 2   call 3   end 1   end 2   end 3   (idle)   call 4
//   wait        0 us    10 us    20 us                                      0 us
//
// It is an upper bound: of a call that another thread put in while this one was busy with a long
// call, all of the long call counts. Not counted is what gRPC does between two events, such as to
// parse them, and what lies in a socket because all threads are busy.
//
// To empty the queue by looking ahead would tell the wait exactly, but each look is a system call,
// which is too much for a call of 10 us. This costs one look at the clock per call.

#include <algorithm>
#include <cstdint>

namespace ferrite {

// Not thread-safe: belongs to the thread of one queue.
class QueueWait {
 public:
  // The thread has spent this long on a step of a call.
  void Worked(int64_t ns) { worked_ns_ += ns; }

  // A start of an operation: keep it until the event of the operation comes.
  int64_t mark() const { return worked_ns_; }

  // The event of the operation that was started at `mark` has been taken.
  void Passed(int64_t mark) { passed_ns_ = std::max(passed_ns_, mark); }

  // The most that the event that has just been taken can have waited.
  int64_t bound_ns() const { return worked_ns_ - passed_ns_; }

 private:
  int64_t worked_ns_ = 0;  // since the thread was started
  int64_t passed_ns_ = 0;  // the greatest mark that was passed
};

}  // namespace ferrite
