#pragma once

// Decides which calls of one thread are executed, and keeps count of those that are until their
// answers are out. Refused are, with RESOURCE_EXHAUSTED (OVERLOADED) and a time to come again,
//
//   - what exceeds the server's budget of work in progress, or the part of it that one connection
//     may hold (inflight_budget.h);
//   - large replies to reads, where there is little left of that budget: whoever holds nothing of
//   it
//     is admitted, as most replies are small, but the last of it is not for a few large ones;
//   - what the work in progress would leave less than three quarters of the time that its caller
//     still has (drain_forecast.h): it would take the thread's time from calls that can still make
//     it, and most likely be late.
//
// Calls of operators and probes always pass (IsUsersWork). A call whose deadline has passed does
// not come here (Call::CheckDeadline).
//
// The forecast needs no setting and refuses nobody who can wait. It is what keeps goodput up: a
// server that executes whatever comes answers nearly all of it too late.
//
// Whether a thread has a backlog is seen by asking its queue without waiting (Rested): a queue that
// has nothing at that moment has none, however many answers wait for readers. How busy the thread
// is would not tell: one that waits for slow readers looks as busy as one that cannot keep up.
//
// There is no queue of ours from which the newest call would be served first. By the time that a
// small call comes here gRPC has spent half of what it costs, so there is too little to gain; for
// large calls, refusing early does as well.
//
// The limit of all this: gRPC reads and unpacks whatever comes, so a small call costs more to
// refuse than to serve, and only clients that hold back help (client/acceptance.h, figures in
// bench/results/limits.md).

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "ferrite/v1/cache.pb.h"
#include "server/admission/drain_forecast.h"
#include "server/admission/inflight_budget.h"
#include "server/admission/pushback.h"
#include "server/admission/stream_places.h"
#include "server/call/method.h"
#include "server/call/shed_reason.h"

namespace ferrite {

class Gate;

// What a call holds while it is in progress; gives it back at its end.
class Passage {
 public:
  Passage() = default;
  Passage(Passage&& other) noexcept { *this = std::move(other); }
  Passage& operator=(Passage&& other) noexcept;
  ~Passage() { End(); }

  // The reply that has been made last has so many bytes, without those that KeptBlocks counts. The
  // one before it, if any, is out.
  void HoldReply(uint64_t bytes);
  // The call waits for something other than its thread from now on, or no longer does. While it
  // waits it holds its part of the budget, but is no backlog of the thread.
  void Wait();
  void Resume();
  // The answer is out. Does nothing if the call did not pass or has ended.
  void End();

 private:
  friend class Gate;
  Passage(Gate* gate, InflightBudget::Share* share, uint64_t operations, uint64_t bytes)
      : gate_(gate), share_(share), operations_(operations), bytes_(bytes) {}

  Gate* gate_ = nullptr;
  InflightBudget::Share* share_ = nullptr;
  uint64_t operations_ = 0;
  uint64_t bytes_ = 0;  // the reply included
  uint64_t reply_bytes_ = 0;
  bool waiting_ = false;
};

// What all gates of a server share. Thread-safe.
struct Admissions {
  explicit Admissions(const InflightLimits& limits, const StreamLimits& streams = {});

  InflightBudget budget;
  StreamPlaces places;
  Shortage shortage;
  Shortage share_shortage;  // of connections that hold too much
  // Refusals, made once: each is to cost next to nothing.
  const absl::Status no_operations;
  const absl::Status no_bytes;
  const absl::Status no_bytes_for_reply;
  const absl::Status share_taken;
  const absl::Status no_time;
};

// That a call is not executed, for the caller of Admit() to count and to answer.
struct Refusal {
  ShedReason reason;
  std::chrono::nanoseconds delay;  // when to come again, roughly
  absl::Status status;
};

// Not thread-safe: belongs to one thread.
class Gate {
 public:
  using Clock = std::chrono::steady_clock;

  // What gRPC holds for a call beside its messages, measured; counted as bytes in progress.
  static constexpr uint64_t kCallBytes = 16 << 10;

  // `shared` must outlive the gate, and the gate its passages.
  explicit Gate(Admissions* shared) : shared_(*shared) {}

  // The thread had nothing to do until now.
  void Rested() { forecast_.Rested(Clock::now()); }

  // What a connection (Transport::connection) holds: ask once for each call.
  InflightBudget::Share* ShareOf(uint64_t connection) { return shared_.budget.ShareOf(connection); }

  // Lets a call of so many operations, with a request of so many bytes and a caller that waits
  // until `deadline`, pass, and sets `*passage`; or refuses it.
  std::optional<Refusal> Admit(Method method, InflightBudget::Share* share, uint64_t operations,
                               uint64_t request_bytes, Clock::time_point deadline,
                               Passage* passage);

  // Refuses a reply of so many bytes to a call that only reads, where it would take what little is
  // left to others. `uncounted` as ReplyWriter has them.
  std::optional<Refusal> AdmitReply(const InflightBudget::Share& share, uint64_t bytes,
                                    uint64_t uncounted);

  // Whether not even half of the budget is used.
  bool HasPlenty() const {
    const InflightBudget& budget = shared_.budget;
    return budget.operations() < budget.limits().operations / 2 &&
           budget.bytes() < budget.limits().bytes / 2;
  }

  // The places of all connections.
  StreamPlaces* places() { return &shared_.places; }

 private:
  friend class Passage;

  Admissions& shared_;
  DrainForecast forecast_;
};

// When the client of a call that failed with `status` is to come again, if the reason may pass:
// memory that is full, a request window that is full, as many subscriptions as there may be, a slot
// that changes its owner. What the error itself says (kRetryAfterFact) counts; else it is a guess,
// spread as PushbackOf does.
std::optional<std::chrono::milliseconds> PushbackAfter(const absl::Status& status);
// The fact of an error that says after how many milliseconds its reason will be over.
inline constexpr char kRetryAfterFact[] = "retry_after_ms";

}  // namespace ferrite
