// Writes into a ferrite::Store with a memory limit as fast as it can, with sizes that change from
// phase to phase, and prints one line of JSON: what the process had in memory over time, and how
// long single writes took.

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/store/resident.h"
#include "bench/store/sweeper.h"
#include "bench/store/timed_calls.h"
#include "bench/store/workload.h"
#include "store/store.h"

namespace ferrite::bench {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

enum class Kind { kSet, kSetWithTtl, kIncr };

struct Phase {
  std::string_view name;
  Kind kind = Kind::kSet;
  size_t min_bytes = 0;
  size_t max_bytes = 0;
};

constexpr size_t kLargest = size_t{100} << 10;
// Each turns over what the one before left behind.
constexpr std::array<Phase, 7> kPhases = {{{"8-64 B", Kind::kSet, 8, 64},
                                           {"16-100 KiB", Kind::kSet, size_t{16} << 10, kLargest},
                                           {"8 B-100 KiB", Kind::kSet, 8, kLargest},
                                           {"counters", Kind::kIncr, 0, 0},
                                           {"TTL, 8-512 B", Kind::kSetWithTtl, 8, 512},
                                           {"1-4 KiB", Kind::kSet, 1024, 4096},
                                           {"8-64 B again", Kind::kSet, 8, 64}}};

struct Settings {
  size_t limit_bytes = size_t{256} << 20;
  uint64_t keys = 16'000'000;
  int threads = 2;
  double seconds = 21;
  double idle_seconds = 3;
};

struct Sample {
  double seconds = 0;
  uint64_t resident_bytes = 0;
  uint64_t own_bytes = 0;
};

// What one thread did.
struct Writes {
  std::array<TimedCalls, kPhases.size()> by_phase;
  uint64_t refused = 0;
};

// Sizes are as likely in every octave as in every other.
size_t PickSize(const Phase& phase, Random& random) {
  const double octaves = std::log2(static_cast<double>(phase.max_bytes) / phase.min_bytes);
  const double part = static_cast<double>(random.Next() >> 11) * 0x1p-53;
  return static_cast<size_t>(phase.min_bytes * std::exp2(octaves * part));
}

// One write. Counters have keys of their own, as other values are none.
void Write(Store* store, const Phase& phase, uint64_t keys, std::string_view bytes, Random& random,
           TimedCalls* calls, uint64_t* refused) {
  const uint64_t index = Below(keys, random);
  if (phase.kind == Kind::kIncr) {
    const Key key(keys + index);
    calls->Run(
        [&] { *refused += store->Incr(key.view(), {}).outcome == IncrOutcome::kMemoryFull; });
    return;
  }
  const Key key(index);
  const std::string_view value = bytes.substr(0, PickSize(phase, random));
  SetOptions options;
  if (phase.kind == Kind::kSetWithTtl) options.expiry = Expiry::After(50 + random.Next() % 2000);
  calls->Run([&] {
    *refused += store->Set(key.view(), value, options).outcome == SetOutcome::kMemoryFull;
  });
}

class Storm {
 public:
  explicit Storm(const Settings& settings) : settings_(settings), writes_(settings.threads) {
    samples_.reserve(static_cast<size_t>(settings.seconds * 20) + 100);
  }

  nlohmann::json Run() {
    const TimedCalls idle = IdleCalls(settings_.threads, Seconds(settings_.idle_seconds));
    ForgetResidentPeak();
    const uint64_t baseline = ResidentBytes();
    Store store({.max_memory_bytes = settings_.limit_bytes});
    Sweeper sweeper(&store);
    start_ = steady_clock::now();
    std::thread writers([&] {
      OnThreads(settings_.threads, [&](int thread) { WriteUntilTheEnd(&store, thread); });
    });
    SampleUntilTheEnd(&store, baseline);
    writers.join();
    const uint64_t peak = ResidentPeakBytes();
    nlohmann::json outcome = Outcome(store);
    outcome["peak_resident_bytes"] = peak > baseline ? peak - baseline : 0;
    outcome["idle"] = idle.ToJson();
    return outcome;
  }

 private:
  void WriteUntilTheEnd(Store* store, int thread) {
    const std::string bytes(kLargest, 'v');
    Random random(thread);
    Writes& writes = writes_[thread];
    const double phase_seconds = settings_.seconds / kPhases.size();
    for (;;) {
      const double elapsed = Seconds(steady_clock::now() - start_).count();
      const auto number = static_cast<size_t>(elapsed / phase_seconds);
      if (number >= kPhases.size()) return;
      Write(store, kPhases[number], settings_.keys, bytes, random, &writes.by_phase[number],
            &writes.refused);
    }
  }

  void SampleUntilTheEnd(Store* store, uint64_t baseline) {
    for (int i = 0; i * 0.05 < settings_.seconds; ++i) {
      std::this_thread::sleep_until(start_ + std::chrono::milliseconds(50) * i);
      const uint64_t resident = ResidentBytes();
      samples_.push_back({Seconds(steady_clock::now() - start_).count(),
                          resident > baseline ? resident - baseline : 0, store->memory_bytes()});
    }
  }

  nlohmann::json Outcome(const Store& store) const {
    nlohmann::json samples = nlohmann::json::array(), phases = nlohmann::json::array();
    for (const Sample& sample : samples_)
      samples.push_back({sample.seconds, sample.resident_bytes, sample.own_bytes});
    TimedCalls all;
    uint64_t refused = 0;
    for (const Writes& writes : writes_) refused += writes.refused;
    for (size_t i = 0; i < kPhases.size(); ++i) {
      TimedCalls in_phase;
      for (const Writes& writes : writes_) in_phase.Add(writes.by_phase[i]);
      all.Add(in_phase);
      phases.push_back({{"name", kPhases[i].name}, {"writes", in_phase.ToJson()}});
    }
    return {{"limit_bytes", settings_.limit_bytes},
            {"threads", settings_.threads},
            {"seconds", settings_.seconds},
            {"evictions", store.Stats().evictions},
            {"refused", refused},
            {"writes", all.ToJson()},
            {"phases", phases},
            {"samples", samples}};
  }

  const Settings settings_;
  steady_clock::time_point start_;
  std::vector<Writes> writes_;
  std::vector<Sample> samples_;
};

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("A storm of writes into a store with a memory limit");
  app.add_option("--max-memory", settings.limit_bytes, "The limit")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--keys", settings.keys, "How many keys there are")->check(CLI::PositiveNumber);
  app.add_option("--threads", settings.threads, "How many threads write")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", settings.seconds, "How long")->check(CLI::PositiveNumber);
  app.add_option("--idle-seconds", settings.idle_seconds, "How long the machine alone is measured");
  CLI11_PARSE(app, argc, argv);
  std::cout << Storm(settings).Run() << "\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
