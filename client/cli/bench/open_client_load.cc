#include "client/cli/bench/open_client_load.h"

#include <algorithm>
#include <chrono>

#include "client/cli/bench/client_call.h"

namespace ferrite::cli {
namespace {

// Arrivals that are closer together start together, as sleeping costs more than a call.
constexpr auto kShortestSleep = std::chrono::microseconds(100);
constexpr auto kAnswerGrace = std::chrono::seconds(1);

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
  client_.reset();  // ends all calls
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
  const Clock::time_point end = Clock::now() + timeout_ + kAnswerGrace;
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
                  [this, intended, counted](bool is_read, const auto& outcome) {
                    if (OnEnd(intended, counted, outcome.status()) && is_read) {
                      CountRead(KeysOf(*outcome));
                    }
                  });
}

bool OpenClientLoad::OnEnd(Clock::time_point intended, bool counted, const absl::Status& status) {
  Tally::Add(IsAtOnce() ? ended_at_once_ : ended_later_, 1);
  if (!counted) return false;
  OpenTally& tally = OwnTally();
  const Clock::duration latency = Clock::now() - intended;
  if (!status.ok()) {
    Tally::Add(tally.calls.errors[ErrorIndex(status.raw_code())], 1);
  } else if (latency > timeout_) {
    Tally::Add(tally.late, 1);
  } else {
    tally.calls.latency.Record(absl::FromChrono(latency));
    return true;
  }
  return false;
}

void OpenClientLoad::CountRead(const CallKeys& read) {
  Tally& reads = OwnTally().calls;
  Tally::Add(reads.keys, read.keys);
  Tally::Add(reads.hits, read.hits);
}

}  // namespace ferrite::cli
