#pragma once

// What a LoadThread keeps in flight: a sequence of calls or frames, one at a time.

#include <chrono>

#include "client/cli/bench/tally.h"
#include "client/cli/bench/workload.h"

namespace ferrite::cli {

// Its address, as a Flight*, is the tag of all its operations in the completion queue of its
// thread. Not thread-safe.
class Flight {
 public:
  using Clock = std::chrono::steady_clock;

  Flight() = default;
  virtual ~Flight() = default;
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  // Starts the next call of `workload`. `counted`: whether it is to appear in the result.
  virtual void BeginCall(Workload* workload, bool counted) = 0;
  // Starts a pause instead, so that an absent server is not called again at once.
  virtual void BeginPause() = 0;

  // The queue returned the tag. Whether this ends the call or the pause; if not, more events will
  // come.
  virtual bool Proceed(bool ok) = 0;

  virtual bool pausing() const = 0;
  virtual bool counted() const = 0;
  // Whether the call that ended did not reach a server.
  virtual bool found_nobody() const = 0;
  // Adds the call that ended to `*tallies`.
  virtual void Count(Tallies* tallies) const = 0;

  // Ends the call or pause soon.
  virtual void Cancel() = 0;
  // Does so if the call is overdue and gRPC does not enforce its deadline. Called while nothing
  // happens.
  virtual void CancelIfOverdue(Clock::time_point) {}
};

}  // namespace ferrite::cli
