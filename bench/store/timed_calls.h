#pragma once

// How long calls take, one by one: quantiles, and the slowest.
//
// A machine takes the core away from a thread now and then, which looks like a slow call. So
// besides the wall clock there are two other views of each call: the thread's own CPU clock, which
// stands still while others run, and whether the core was taken away meanwhile. The slowest call by
// the wall clock blames the code under test for the machine's pauses, the one that computed most
// spares it its waits for locks; the slowest that kept its core lies between. IdleCalls() says how
// long the machine alone makes a call wait that takes no lock at all.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "benchmark/benchmark.h"

namespace ferrite::bench {

inline uint64_t CpuNs(clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

// How often the core was taken away from this thread.
inline int64_t Interruptions() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// One thread's calls. Not thread-safe; Add() joins those of several threads.
class TimedCalls {
 public:
  template <class Function>
  void Run(Function function) {
    const int64_t interruptions = Interruptions();
    const uint64_t cpu_start = CpuNs();
    const auto start = std::chrono::steady_clock::now();
    function();
    const std::chrono::nanoseconds wall = std::chrono::steady_clock::now() - start;
    const Call call = {static_cast<uint64_t>(wall.count()), CpuNs() - cpu_start};
    ++counts_[BucketOf(call.wall_ns)];
    if (call.wall_ns > slowest_.wall_ns) slowest_ = call;
    if (call.cpu_ns > dearest_.cpu_ns) dearest_ = call;
    if (call.wall_ns > undisturbed_.wall_ns && Interruptions() == interruptions)
      undisturbed_ = call;
  }

  void Add(const TimedCalls& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    if (other.slowest_.wall_ns > slowest_.wall_ns) slowest_ = other.slowest_;
    if (other.dearest_.cpu_ns > dearest_.cpu_ns) dearest_ = other.dearest_;
    if (other.undisturbed_.wall_ns > undisturbed_.wall_ns) undisturbed_ = other.undisturbed_;
  }

  nlohmann::json ToJson() const {
    const auto call = [](const Call& one) {
      return nlohmann::json{{"wall_ms", one.wall_ns / 1e6}, {"cpu_ms", one.cpu_ns / 1e6}};
    };
    return {{"calls", Count()},
            {"p50_us", QuantileNs(0.5) / 1e3},
            {"p99_us", QuantileNs(0.99) / 1e3},
            {"p9999_us", QuantileNs(0.9999) / 1e3},
            {"slowest", call(slowest_)},
            {"slowest_undisturbed", call(undisturbed_)},
            {"slowest_by_cpu", call(dearest_)}};
  }

 private:
  struct Call {
    uint64_t wall_ns = 0;
    uint64_t cpu_ns = 0;
  };

  // Numbers below 64 have buckets of their own; above, every octave has 32.
  static constexpr int kBitsPerOctave = 5;
  static size_t BucketOf(uint64_t ns) {
    const int octave = std::max(0, static_cast<int>(std::bit_width(ns)) - 1 - kBitsPerOctave);
    return (static_cast<size_t>(octave) << kBitsPerOctave) + (ns >> octave);
  }
  static double UpperEnd(size_t bucket) {
    const size_t octave = bucket < 64 ? 0 : (bucket >> kBitsPerOctave) - 1;
    return std::ldexp(static_cast<double>(bucket - (octave << kBitsPerOctave) + 1),
                      static_cast<int>(octave));
  }

  uint64_t Count() const {
    uint64_t count = 0;
    for (const uint64_t in_bucket : counts_) count += in_bucket;
    return count;
  }

  // At most 3 % too high.
  double QuantileNs(double quantile) const {
    const double wanted = quantile * static_cast<double>(Count());
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return UpperEnd(i);
    }
    return 0;
  }

  std::array<uint64_t, size_t{64} << kBitsPerOctave> counts_ = {};
  Call slowest_;
  Call undisturbed_;  // the slowest that kept its core
  Call dearest_;      // in CPU time
};

// Calls `run(thread)` on each of `count` threads and waits for them.
template <class Function>
void OnThreads(int count, Function run) {
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (int i = 0; i < count; ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
}

// The calls of threads that only copy a kilobyte of their own, for this long.
inline TimedCalls IdleCalls(int threads, std::chrono::duration<double> length) {
  std::vector<TimedCalls> calls(threads);
  OnThreads(threads, [&](int thread) {
    const std::string from(1024, 'v');
    std::string to = from;
    const auto end = std::chrono::steady_clock::now() + length;
    while (std::chrono::steady_clock::now() < end) {
      calls[thread].Run([&] {
        std::memcpy(to.data(), from.data(), from.size());
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
      });
    }
  });
  TimedCalls all;
  for (const TimedCalls& own : calls) all.Add(own);
  return all;
}

}  // namespace ferrite::bench
