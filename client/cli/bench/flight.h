#pragma once

// What a LoadThread keeps in flight: one call or one frame after the other.

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
  // Starts a pause instead: a server that is away is not asked again at once.
  virtual void BeginPause() = 0;

  // The queue gave back the tag. Whether that ends the call or the pause; if not, more will come.
  virtual bool Proceed(bool ok) = 0;

  virtual bool pausing() const = 0;
  virtual bool counted() const = 0;
  // Whether the call that ended found nobody at the other end.
  virtual bool found_nobody() const = 0;
  // Adds the call that ended to `*tallies`.
  virtual void Count(Tallies* tallies) const = 0;

  // Makes the call or pause end soon.
  virtual void Cancel() = 0;
  // The same if it takes longer than calls may, and gRPC does not see to that. Asked when all are
  // silent.
  virtual void CancelIfOverdue(Clock::time_point) {}
};

}  // namespace ferrite::cli
