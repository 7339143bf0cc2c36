#include "server/metrics/thread_counters.h"

#include <algorithm>

namespace ferrite {

constinit thread_local ThreadCounters* ThreadCounters::current_ = nullptr;

void MethodCounters::Record(int64_t ns) {
  const double seconds = static_cast<double>(ns) * 1e-9;
  const auto bound = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), seconds);
  ThreadCounters::Add(&latency[static_cast<size_t>(bound - kLatencyBounds.begin())], 1);
  ThreadCounters::Add(&latency_sum_ns, static_cast<uint64_t>(ns));
}

void CounterRegistry::AttachThread() {
  MutexLock lock(&mutex_);
  ThreadCounters::current_ = threads_.emplace_back(std::make_unique<ThreadCounters>()).get();
}

uint64_t CounterRegistry::Sum(const std::function<uint64_t(const ThreadCounters&)>& read) const {
  MutexLock lock(&mutex_);
  uint64_t sum = 0;
  for (const auto& thread : threads_) sum += read(*thread);
  return sum;
}

uint64_t CounterRegistry::Inflight(Method method) const {
  // The ends are read first: a call that ends in between is counted too often, never below zero.
  const uint64_t ended = Sum([method](const ThreadCounters& thread) {
    uint64_t handled = 0;
    for (const Counter& counter : thread.of(method).handled)
      handled += counter.load(std::memory_order_relaxed);
    return handled;
  });
  const uint64_t started = Sum([method](const ThreadCounters& thread) {
    return thread.of(method).started.load(std::memory_order_relaxed);
  });
  return started > ended ? started - ended : 0;
}

uint64_t CounterRegistry::Inflight() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kMethodCount; ++i) {
    if (!OnlyWatches(static_cast<Method>(i))) sum += Inflight(static_cast<Method>(i));
  }
  return sum;
}

uint64_t CounterRegistry::Waiting(Method method) const {
  const auto sum = [&](Counter MethodCounters::*counter) {
    return Sum([&](const ThreadCounters& thread) {
      return (thread.of(method).*counter).load(std::memory_order_relaxed);
    });
  };
  const uint64_t ended = sum(&MethodCounters::waits_ended);
  const uint64_t begun = sum(&MethodCounters::waits_begun);
  return begun > ended ? begun - ended : 0;
}

}  // namespace ferrite
