#pragma once

// The messages of one thread's calls that are on their way to their clients, by when they were
// handed to the transport. Their order tells two things without a timer for each:
//
//   - A message that one of 20 ms later has overtaken waits for its client, and not for the thread,
//     whose events come in order. So its call is no backlog.
//   - One that nobody has taken for the stalled time is given up, and its call with it: else a
//     client that does not read holds its part of the budget forever.

#include <chrono>

#include "base/links.h"
#include "server/engine/timers.h"

namespace ferrite {

class Call;

// A message of a call. Belongs to it.
struct Departure final : Link {
  explicit Departure(Call* of) : call(*of) {}

  Call& call;
  Timers::Clock::time_point since;
};

// Not thread-safe: belongs to one thread.
class Departures {
 public:
  using Clock = Timers::Clock;

  explicit Departures(Timers* timers) : timers_(*timers), timer_([this] { EndStalled(); }) {}

  // Zero: never. Before the thread starts.
  void EndAfter(Clock::duration stalled_time) {
    stalled_time_ = stalled_time;
    timed_ = stalled_time == Clock::duration::zero();
  }

  // Handed over at `now`.
  void Begin(Departure* message, Clock::time_point now) {
    message->since = now;
    leaving_.Append(message);
    if (!timed_) [[unlikely]]
      SetTimer(now);
  }
  // Out, or given up. Does nothing if it was not on its way.
  void Out(Departure* message) {
    while (leaving_.next() != message && IsOvertaken(*message)) NoteOvertaken();
    message->Unlink();
  }

 private:
  // Those of several connections do not leave quite in order.
  static constexpr auto kOvertakenBy = std::chrono::milliseconds(20);

  static Departure* At(Link* place) { return static_cast<Departure*>(place); }
  // Whether `message` has overtaken the first of leaving_.
  bool IsOvertaken(const Departure& message) const {
    return !message.alone() && !leaving_.alone() &&
           message.since - At(leaving_.next())->since > kOvertakenBy;
  }
  void NoteOvertaken();
  void SetTimer(Clock::time_point oldest);
  // Gives up those that have waited for too long.
  void EndStalled();

  Timers& timers_;
  Timer timer_;
  Clock::duration stalled_time_ = std::chrono::seconds(30);
  bool timed_ = false;  // the timer is set, or never will be
  // Each in order; all of the first were begun before those of the second.
  Link overtaken_;
  Link leaving_;
};

}  // namespace ferrite
