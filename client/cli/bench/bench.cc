#include "client/cli/bench/bench.h"

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/channel.h"
#include "client/cli/bench/client_load.h"
#include "client/cli/bench/load_thread.h"
#include "client/cli/bench/open_bench.h"
#include "client/cli/bench/preload.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/steady_time.h"

namespace ferrite::cli {
namespace {

using Clock = LoadThread::Clock;
using Channels = std::vector<std::shared_ptr<grpc::Channel>>;

constexpr auto kTick = std::chrono::milliseconds(50);
constexpr absl::Duration kProgressInterval = absl::Milliseconds(500);

absl::StatusOr<Channels> Connect(const BenchOptions& options) {
  const gpr_timespec deadline = GrpcTimeIn(absl::ToChronoNanoseconds(options.call_timeout));
  Channels channels;
  for (int i = 0; i < options.connections; ++i) {
    channels.push_back(MakeChannel(options.server, options.credentials));
    channels.back()->GetState(/*try_to_connect=*/true);
  }
  for (int i = 0; i < options.connections; ++i) {
    if (channels[i]->WaitForConnected(deadline)) continue;
    return absl::UnavailableError(absl::StrCat("only ", i, " of ", options.connections,
                                               " connections to ", options.server, " came about"));
  }
  return channels;
}

absl::Status WriteKeys(Client& client, const BenchOptions& options,
                       const InterruptFlag& interrupt) {
  ProgressLine line;
  Clock::time_point shown;
  return Preload(client, options, [&](uint64_t done) {
    if (Clock::now() - shown > kTick) {
      line.Show(ProgressBar("Writing keys",
                            static_cast<double>(done) / static_cast<double>(options.keys)));
      shown = Clock::now();
    }
    return !interrupt.is_set();
  });
}

// The threads of one run, and what they have done so far.
class Load {
 public:
  Load(const BenchOptions& options, const Channels& channels) {
    // Without a warm-up, counting starts with the first call.
    state_.counting = options.warmup == absl::ZeroDuration();
    for (int i = 0; i < options.threads; ++i) {
      Channels own;
      for (size_t c = i; c < channels.size(); c += options.threads) own.push_back(channels[c]);
      if (options.mode == BenchMode::kAuto) {
        threads_.push_back(std::make_unique<ClientLoad>(options, static_cast<int>(own.size()),
                                                        /*seed=*/i + 1, QuotaOf(options, i),
                                                        &state_));
      } else {
        threads_.push_back(std::make_unique<LoadThread>(options, own, /*seed=*/i + 1,
                                                        QuotaOf(options, i), &state_));
      }
    }
  }
  ~Load() { state_.stopping = true; }

  void StartCounting() { state_.counting = true; }
  void StopCounting() { state_.counting = false; }

  bool finished() const {
    return std::all_of(threads_.begin(), threads_.end(),
                       [](const auto& thread) { return thread->finished(); });
  }
  Clock::time_point last_end() const {
    Clock::time_point last;
    for (const auto& thread : threads_) last = std::max(last, thread->last_end());
    return last;
  }
  BenchResult Result() const {
    BenchResult result;
    for (const auto& thread : threads_) {
      result.reads.Add(thread->tallies().reads);
      result.writes.Add(thread->tallies().writes);
      result.mixed.Add(thread->tallies().mixed);
    }
    return result;
  }

 private:
  static std::optional<uint64_t> QuotaOf(const BenchOptions& options, uint64_t thread) {
    if (!options.count.has_value()) return std::nullopt;
    const uint64_t threads = options.threads;
    return *options.count / threads + (thread < *options.count % threads ? 1 : 0);
  }

  RunState state_;
  std::vector<std::unique_ptr<Loader>> threads_;
};

// Shows the current rate and latency repeatedly.
class LiveLine {
 public:
  void Update(const Load& load) {
    const Clock::time_point now = Clock::now();
    const absl::Duration interval = absl::FromChrono(now - shown_);
    if (interval < kProgressInterval) return;
    const Totals totals = load.Result().Sum();
    Totals recent = totals;
    recent.latency.Subtract(before_.latency);
    recent.keys -= before_.keys;
    line_.Show(
        RenderProgress(absl::FromChrono(now - start_), recent, interval, totals.failed_calls()));
    before_ = totals;
    shown_ = now;
  }

 private:
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
  Totals before_;
  ProgressLine line_;
};

void WarmUp(const BenchOptions& options, const InterruptFlag& interrupt) {
  ProgressLine line;
  line.Show("Warming up");
  const Clock::time_point end = Clock::now() + absl::ToChronoNanoseconds(options.warmup);
  while (Clock::now() < end && !interrupt.is_set()) std::this_thread::sleep_for(kTick);
}

BenchResult Measure(const BenchOptions& options, const Channels& channels,
                    const InterruptFlag& interrupt) {
  Clock::time_point start = Clock::now();
  Load load(options, channels);
  if (options.warmup > absl::ZeroDuration()) {
    WarmUp(options, interrupt);
    start = Clock::now();
    load.StartCounting();
  }
  const Clock::time_point end = start + absl::ToChronoNanoseconds(options.duration);
  LiveLine line;
  while (!interrupt.is_set() &&
         (options.count.has_value() ? !load.finished() : Clock::now() < end)) {
    std::this_thread::sleep_for(kTick);
    line.Update(load);
  }
  load.StopCounting();
  const Clock::time_point stop = load.finished() ? load.last_end() : Clock::now();
  BenchResult result = load.Result();
  result.elapsed = absl::FromChrono(std::max(start, stop) - start);
  result.interrupted = interrupt.is_set();
  return result;
}

}  // namespace

absl::StatusOr<BenchResult> RunBench(Client& client, const BenchOptions& options) {
  InterruptFlag interrupt;
  const absl::StatusOr<bool> serving = client.IsServing();
  if (!serving.ok()) return serving.status();
  if (options.reads() && options.preload) {
    if (absl::Status status = WriteKeys(client, options, interrupt); !status.ok()) return status;
  }
  const absl::StatusOr<Channels> channels = Connect(options);
  if (!channels.ok()) return channels.status();
  return options.rate.has_value() ? MeasureOpen(options, *channels, interrupt)
                                  : Measure(options, *channels, interrupt);
}

}  // namespace ferrite::cli
