#include "client/cli/bench/open_bench.h"

#include <thread>

#include "absl/strings/str_format.h"
#include "client/cli/bench/open_client_load.h"
#include "client/cli/bench/open_load.h"
#include "client/cli/duration.h"
#include "client/cli/progress.h"
#include "grpcpp/support/status.h"

namespace ferrite::cli {
namespace {

using Clock = OpenLoader::Clock;

constexpr auto kShowInterval = std::chrono::milliseconds(50);
constexpr auto kInterval = std::chrono::milliseconds(250);

OpenCounts CountsOf(const OpenTally& tally) {
  Totals calls;
  calls.Add(tally.calls);
  OpenCounts counts;
  counts.offered = tally.offered.load(std::memory_order_relaxed);
  counts.unsent = tally.unsent.load(std::memory_order_relaxed);
  counts.late = tally.late.load(std::memory_order_relaxed);
  counts.good = calls.calls();
  counts.shed = calls.errors[grpc::StatusCode::RESOURCE_EXHAUSTED];
  counts.expired = calls.errors[grpc::StatusCode::DEADLINE_EXCEEDED];
  counts.failed = calls.failed_calls() - counts.shed - counts.expired;
  return counts;
}

// The loaders of one run.
class OpenLoad {
 public:
  OpenLoad(const BenchOptions& options,
           const std::vector<std::shared_ptr<grpc::Channel>>& channels) {
    state_.counting = options.warmup == absl::ZeroDuration();
    for (int i = 0; i < options.threads; ++i) {
      std::vector<std::shared_ptr<grpc::Channel>> own;
      for (size_t c = i; c < channels.size(); c += options.threads) own.push_back(channels[c]);
      const double rate = *options.rate / options.threads;
      const uint64_t seed = i + 1;
      if (options.mode == BenchMode::kAuto) {
        loaders_.push_back(std::make_unique<OpenClientLoad>(options, static_cast<int>(own.size()),
                                                            rate, seed, &state_));
      } else {
        loaders_.push_back(std::make_unique<OpenLoadThread>(options, own, rate, seed, &state_));
      }
    }
  }
  ~OpenLoad() { Stop(); }

  void StartCounting() { state_.counting = true; }
  // Starts no more calls and waits for those in flight.
  void Stop() {
    state_.stopping = true;
    for (const auto& loader : loaders_) loader->Join();
  }

  OpenCounts Counts() const {
    OpenCounts counts;
    for (const auto& loader : loaders_) {
      for (const OpenTally* tally : loader->tallies()) counts.Add(CountsOf(*tally));
    }
    return counts;
  }
  Totals Calls() const {
    Totals calls;
    for (const auto& loader : loaders_) {
      for (const OpenTally* tally : loader->tallies()) calls.Add(tally->calls);
    }
    return calls;
  }

 private:
  RunState state_;
  std::vector<std::unique_ptr<OpenLoader>> loaders_;
};

void WaitUntil(Clock::time_point end, const InterruptFlag& interrupt) {
  while (Clock::now() < end && !interrupt.is_set()) {
    std::this_thread::sleep_until(std::min(end, Clock::now() + kShowInterval));
  }
}

std::string RenderInterval(absl::Duration since_start, const OpenCounts& counts) {
  const double per_second = 1 / absl::ToDoubleSeconds(absl::FromChrono(kInterval));
  const auto rate = [&](uint64_t count) { return static_cast<double>(count) * per_second; };
  return absl::StrFormat("%s  offered %.0f/s  good %.0f/s  shed %.0f/s  expired %.0f/s",
                         RenderDuration(since_start), rate(counts.offered), rate(counts.good),
                         rate(counts.shed), rate(counts.expired));
}

}  // namespace

BenchResult MeasureOpen(const BenchOptions& options,
                        const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                        const InterruptFlag& interrupt) {
  OpenLoad load(options, channels);
  ProgressLine line;
  WaitUntil(Clock::now() + absl::ToChronoNanoseconds(options.warmup), interrupt);
  load.StartCounting();
  const Clock::time_point start = Clock::now();
  const Clock::time_point end = start + absl::ToChronoNanoseconds(options.duration);
  BenchResult result;
  result.open.emplace();
  OpenCounts before;
  while (Clock::now() < end && !interrupt.is_set()) {
    WaitUntil(std::min(end, Clock::now() + kInterval), interrupt);
    const OpenCounts counts = load.Counts();
    result.elapsed = absl::FromChrono(Clock::now() - start);
    result.open->timeline.push_back({result.elapsed, counts.Since(before)});
    line.Show(RenderInterval(result.elapsed, counts.Since(before)));
    before = counts;
  }
  result.interrupted = interrupt.is_set();
  load.Stop();
  result.open->counts = load.Counts();
  const Totals calls = load.Calls();
  result.open->latency = calls.latency;
  (options.reads() ? result.reads : result.writes) = calls;
  return result;
}

}  // namespace ferrite::cli
