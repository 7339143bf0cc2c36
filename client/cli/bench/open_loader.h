#pragma once

// What loads the server at a rate of its own, whatever the server does (an open loop), whichever
// way its calls take.
//
// The life of an arrival: it is offered when its moment has come; it starts a call, or none if the
// loader is late or has no room for it; the call's deadline and latency count from the moment that
// was meant, so that a wait before the call is not left out.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "client/cli/bench/tally.h"

namespace ferrite::cli {

// What became of arrivals, beside what its Tally says of the calls. One thread counts; any may read
// at the same time.
struct OpenTally {
  Tally calls;                       // that ended, by status; latencies of those that were OK
  std::atomic<uint64_t> offered{0};  // arrivals
  std::atomic<uint64_t> unsent{0};   // that started no call: see above
  std::atomic<uint64_t> late{0};     // calls that were OK but beyond their deadline
};

// A loader that is later than this part of the time that a call may take cannot keep up. It says so
// rather than to send calls that have spent their time with it and would make the server look slow.
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
  // Of each thread that counts. Thread-safe.
  virtual std::vector<const OpenTally*> tallies() const = 0;
};

}  // namespace ferrite::cli
