#include "server/handlers/method_stats.h"

#include <string>

namespace ferrite {
namespace {

constexpr size_t kOk = 0;  // the status code

// What one method has come to, over all threads.
class MethodSum {
 public:
  MethodSum(const CounterRegistry& counters, Method method)
      : counters_(counters), method_(method) {}

  uint64_t Of(Counter MethodCounters::*counter) const {
    return Sum([=](const MethodCounters& of) -> const Counter& { return of.*counter; });
  }
  uint64_t Handled(size_t code) const {
    return Sum([=](const MethodCounters& of) -> const Counter& { return of.handled[code]; });
  }
  uint64_t Latency(size_t bucket) const {
    return Sum([=](const MethodCounters& of) -> const Counter& { return of.latency[bucket]; });
  }

 private:
  template <typename Choose>
  uint64_t Sum(Choose choose) const {
    return counters_.Sum([&](const ThreadCounters& thread) {
      return choose(thread.of(method_)).load(std::memory_order_relaxed);
    });
  }

  const CounterRegistry& counters_;
  const Method method_;
};

}  // namespace

void FillMethodStats(const CounterRegistry& counters, v1::StatsResponse* response) {
  for (const double bound : kLatencyBounds) response->add_latency_bounds_us(bound * 1e6);
  for (size_t i = 0; i < kMethodCount; ++i) {
    const MethodSum sum(counters, static_cast<Method>(i));
    v1::MethodStats* stats = response->add_methods();
    stats->set_service(std::string(kMethodNames[i].service));
    stats->set_method(std::string(kMethodNames[i].method));
    // The ends before the starts, so that a reader never sees more ends than starts.
    stats->set_calls_ok(sum.Handled(kOk));
    uint64_t failed = 0;
    for (size_t code = kOk + 1; code < kStatusCodeCount; ++code) {
      failed += sum.Handled(code);
    }
    stats->set_calls_failed(failed);
    stats->set_calls_started(sum.Of(&MethodCounters::started));
    stats->set_keys_read(sum.Of(&MethodCounters::keys_read));
    stats->set_keys_written(sum.Of(&MethodCounters::keys_written));
    stats->set_bytes_received(sum.Of(&MethodCounters::bytes_received));
    stats->set_bytes_sent(sum.Of(&MethodCounters::bytes_sent));
    for (size_t bucket = 0; bucket <= kLatencyBounds.size(); ++bucket) {
      stats->add_latency_counts(sum.Latency(bucket));
    }
    stats->set_latency_sum_us(sum.Of(&MethodCounters::latency_sum_ns) / 1000);
  }
}

}  // namespace ferrite
