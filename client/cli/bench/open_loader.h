#pragma once

// Loads the server at a given rate, whatever the server does (an open loop), by whatever kind of
// calls.
//
// The life of an arrival: it is offered at its time; it starts a call, or none if the loader is
// late or has no room for it. The call's deadline and latency count from the arrival's time, so
// that a wait before the call is included.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "client/cli/bench/tally.h"

namespace ferrite::cli {

// The fate of arrivals, besides the Tally of their calls. One thread counts; any may read at the
// same time.
struct OpenTally {
  Tally calls;                       // calls that ended, by status; latencies of those that were OK
  std::atomic<uint64_t> offered{0};  // arrivals
  std::atomic<uint64_t> unsent{0};   // arrivals that started no call: see above
  std::atomic<uint64_t> late{0};     // calls that were OK but beyond their deadline
};

// A loader that is late by more than this part of a call's timeout cannot keep up. It reports that
// instead of sending calls whose time it has spent, which would make the server look slow.
inline constexpr int kLatenessPart = 8;

class OpenLoader {
 public:
  using Clock = std::chrono::steady_clock;

  OpenLoader() = default;
  virtual ~OpenLoader() = default;
  OpenLoader(const OpenLoader&) = delete;
  OpenLoader& operator=(const OpenLoader&) = delete;

  // Waits for the end: RunState::stopping must be set. Calls in flight end by their deadlines, or
  // are cancelled a second after them.
  virtual void Join() = 0;
  // The counts of each thread. Thread-safe.
  virtual std::vector<const OpenTally*> tallies() const = 0;
};

}  // namespace ferrite::cli
