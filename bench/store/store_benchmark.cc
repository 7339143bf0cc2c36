// Micro benchmarks of ferrite::Store beside the maps a C++ programmer would reach for.
//
//   bench-store --benchmark_filter=ferrite/   runs like any Google Benchmark
//   bench-store --map ferrite                 holds one filled map and takes commands `OPERATION
//                                             DISTRIBUTION THREADS SECONDS` from standard input,
//                                             each answered with one line of JSON, so that
//                                             bench/store/run can take turns between maps, as
//                                             bench/peers does
//
// One iteration is one window of fixed length in which every thread makes as many operations as it
// can: with a fixed number of operations per thread, the threads that finish early would leave the
// cores to the others, and the figures would not compare with those of bench/peers. Read
// `items_per_second`, not the time per iteration.

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "bench/store/ferrite_map.h"
#include "bench/store/filled_map.h"
#include "bench/store/peer_maps.h"
#include "bench/store/window.h"
#include "bench/store/workload.h"
#include "benchmark/benchmark.h"

namespace ferrite::bench {
namespace {

struct Settings {
  std::string map;
  uint64_t keys = 1'000'000;
  size_t value_bytes = 64;
  double window_seconds = 1;
};
Settings settings;

// Counters live in a map of their own, so that every operation meets a map of `settings.keys`
// entries. Both stay for the life of the process.
template <class Map>
Map& MapFor(Operation operation) {
  static FilledMap<Map> values;
  static FilledMap<Map> counters;
  if (operation == Operation::kIncr) return counters.Get(settings.keys, "0");
  return values.Get(settings.keys, std::string(settings.value_bytes, 'v'));
}

struct Pickers {
  Uniform uniform{settings.keys};
  Zipf zipf{settings.keys};
};

const Pickers& ThePickers() {
  static const Pickers pickers;
  return pickers;
}

template <class Map>
void Measure(benchmark::State& state, const Cell& cell, uint64_t turn) {
  Map& map = MapFor<Map>(cell.named.operation);
  const std::string value(settings.value_bytes, 'v');
  const uint64_t thread = state.thread_index();
  const Window window = {std::chrono::duration<double>(settings.window_seconds), value,
                         settings.keys, thread, static_cast<uint64_t>(cell.threads)};
  const Random random(turn * 1024 + thread);
  Share share;
  for (auto _ : state) {
    share = cell.zipf ? RunWindow(map, cell.named, ThePickers().zipf, window, random)
                      : RunWindow(map, cell.named, ThePickers().uniform, window, random);
  }
  if (share.found != share.operations) {
    state.SkipWithError("operations missed their key: something else than the map was measured");
  }
  state.SetItemsProcessed(share.operations);
  state.counters["operations"] = static_cast<double>(share.operations);
}

struct Subject {
  std::string name;
  std::string description;
  std::function<void(Operation)> fill;
  std::function<void(benchmark::State&, const Cell&, uint64_t turn)> measure;
};

template <class Map>
Subject SubjectOf(std::string name, std::string description) {
  return {std::move(name), std::move(description),
          [](Operation operation) { MapFor<Map>(operation); }, Measure<Map>};
}

std::vector<Subject> Subjects() {
  return {
      SubjectOf<FerriteMap>("ferrite", "ferrite::Store"),
      SubjectOf<MutexMap>("mutex", "std::unordered_map, std::mutex"),
      SubjectOf<SharedMutexMap>("shared_mutex", "std::unordered_map, std::shared_mutex"),
      SubjectOf<AbslShardsMap>("absl_shards", "absl::flat_hash_map, 64 shards, absl::Mutex"),
  };
}

void Register(const Subject& subject, const Cell& cell, uint64_t turn) {
  std::string name = subject.name;
  name.append("/").append(cell.named.name).append("/").append(cell.distribution());
  const auto measure = [measure = subject.measure, cell, turn](benchmark::State& state) {
    measure(state, cell, turn);
  };
  benchmark::RegisterBenchmark(name.c_str(), measure)
      ->Iterations(1)
      ->UseRealTime()
      ->Threads(cell.threads);
}

// Keeps the outcome of the one benchmark that a command runs.
class LastRun : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override { run_ = runs.at(0); }
  const Run& run() const { return run_; }

 private:
  Run run_;
};

// Runs one command, such as "get uniform 2 1.5". Returns what is wrong with it; empty when nothing
// is.
std::string RunCommand(const Subject& subject, const std::string& line, uint64_t turn) {
  std::istringstream words(line);
  std::string operation, distribution;
  Cell cell;
  words >> operation >> distribution >> cell.threads >> settings.window_seconds;
  cell.zipf = distribution == "zipf";
  const auto* const named =
      std::find_if(kOperations.begin(), kOperations.end(),
                   [&](const auto& known) { return known.name == operation; });
  if (named != kOperations.end()) cell.named = *named;
  if (!words || named == kOperations.end() || distribution != cell.distribution() ||
      cell.threads < 1 || !cell.is_possible()) {
    return "cannot understand '" + line + "'";
  }
  subject.fill(cell.named.operation);
  benchmark::ClearRegisteredBenchmarks();
  Register(subject, cell, turn);
  LastRun last;
  benchmark::RunSpecifiedBenchmarks(&last, ".");
  if (last.run().error_occurred) return last.run().error_message;
  std::printf(
      R"({"map":"%s","operation":"%s","distribution":"%s","threads":%d,"operations":%.0f,"seconds":%.6f})"
      "\n",
      subject.name.c_str(), operation.c_str(), distribution.c_str(), cell.threads,
      last.run().counters.at("operations").value, last.run().real_accumulated_time);
  std::fflush(stdout);
  return "";
}

int TakeCommands(const Subject& subject) {
  subject.fill(Operation::kGet);
  std::printf(R"({"ready":"%s","picks":"%016)" PRIx64 "\"}\n", subject.description.c_str(),
              PicksDigest(ThePickers().uniform, ThePickers().zipf));
  std::fflush(stdout);
  std::string line;
  for (uint64_t turn = 0; std::getline(std::cin, line); ++turn) {
    if (const std::string error = RunCommand(subject, line, turn); !error.empty()) {
      std::fprintf(stderr, "bench-store: %s\n", error.c_str());
      return 2;
    }
  }
  return 0;
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  CLI::App app(
      "Micro benchmarks of ferrite::Store and its peers; --benchmark_... are the flags of Google "
      "Benchmark");
  app.add_option("--map", settings.map, "Hold this one map and take commands from standard input");
  app.add_option("--keys", settings.keys, "How many entries the maps hold")
      ->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", settings.value_bytes, "Size of a value");
  app.add_option("--seconds", settings.window_seconds, "How long one benchmark runs")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  for (const Subject& subject : Subjects()) {
    if (subject.name == settings.map) return TakeCommands(subject);
    for (const NamedOperation& named : kOperations) {
      for (const bool zipf : {false, true}) {
        for (const int threads : {1, 2, 8}) {
          if (const Cell cell = {named, zipf, threads}; cell.is_possible())
            Register(subject, cell, 0);
        }
      }
    }
  }
  if (!settings.map.empty()) {
    std::fprintf(stderr, "bench-store: no map %s\n", settings.map.c_str());
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
