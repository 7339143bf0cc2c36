#include "client/cli/bench/open_client_load.h"

#include <algorithm>
#include <chrono>

#include "client/cli/bench/client_call.h"

namespace ferrite::cli {
namespace {

// Arrivals that are closer together start together: to sleep costs more than a call.
constexpr auto kShortestSleep = std::chrono::microseconds(100);
constexpr auto kGrace = std::chrono::seconds(1);

}  // namespace

OpenClientLoad::OpenClientLoad(const BenchOptions& options, int connections, double per_second,
                               uint64_t seed, const RunState* state)
    : state_(*state),
      timeout_(absl::ToChronoNanoseconds(options.call_timeout)),
      workload_(options, seed),
      arrivals_(options.arrivals, per_second, seed, Clock::now()),
      client_(ClientWith(options, connections)) {
  thread_ = std::thread([this] { Run(); });
}

OpenClientLoad::~OpenClientLoad() { Join(); }

void OpenClientLoad::Join() {
  if (thread_.joinable()) thread_.join();
  client_.reset();  // no call outlives it
}

void OpenClientLoad::Run() {
  starting_thread_ = std::this_thread::get_id();
  while (!state_.stopping) {
    Clock::time_point now = Clock::now();
    for (; arrivals_.next() <= now && !state_.stopping; now = Clock::now()) {
      Start(arrivals_.next(), now);
      arrivals_.Advance();
    }
    std::this_thread::sleep_until(std::max(arrivals_.next(), now + kShortestSleep));
  }
  const Clock::time_point end = Clock::now() + timeout_ + kGrace;
  while (ended_at_once_ + ended_later_ < started_ && Clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void OpenClientLoad::Start(Clock::time_point intended, Clock::time_point now) {
  const bool counted = state_.counting;
  if (counted) Tally::Add(at_once_.offered, 1);
  const Clock::duration lateness = now - intended;
  if (lateness > timeout_ / kLatenessPart) {
    if (counted) Tally::Add(at_once_.unsent, 1);
    return;
  }
  ++started_;
  StartClientCall(client_.get(), {.timeout = absl::FromChrono(timeout_ - lateness)}, &workload_,
                  [this, intended, counted](bool, const auto& outcome) {
                    OnEnd(intended, counted, outcome.status(), outcome.ok() && FoundKey(*outcome));
                  });
}

void OpenClientLoad::OnEnd(Clock::time_point intended, bool counted, const absl::Status& status,
                           bool found) {
  const bool at_once = std::this_thread::get_id() == starting_thread_;
  Tally::Add(at_once ? ended_at_once_ : ended_later_, 1);
  if (!counted) return;
  OpenTally& tally = at_once ? at_once_ : later_;
  if (!status.ok()) return Tally::Add(tally.calls.errors[ErrorIndex(status.raw_code())], 1);
  const Clock::duration latency = Clock::now() - intended;
  if (latency > timeout_) return Tally::Add(tally.late, 1);
  tally.calls.latency.Record(absl::FromChrono(latency));
  Tally::Add(tally.calls.keys, 1);
  Tally::Add(tally.calls.hits, found ? 1 : 0);
}

}  // namespace ferrite::cli
