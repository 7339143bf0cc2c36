// Runs worlds, one for each seed, and says what failed in which; or one of many nodes, and says how
// that went.

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tests/simulation/fault_names.h"
#include "tests/simulation/scale.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {
namespace {

using nlohmann::json;

struct Options {
  uint64_t first = 1;
  uint64_t seeds = 300;
  std::string fault;
  bool history = false;
  int nodes = 0;
  int batch = 25;
  bool as_json = false;
};

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A bar on a terminal, otherwise a line per tenth.
void ShowProgress(uint64_t done, uint64_t all, double seconds) {
  const double left = seconds / static_cast<double>(done) * static_cast<double>(all - done);
  if (isatty(STDERR_FILENO) != 0) {
    const std::string filled(30 * done / all, '#');
    const std::string line = absl::StrFormat("\r\x1b[K[%s%s] %d/%d, %.0f s left", filled,
                                             std::string(30 - filled.size(), '.'), done, all, left);
    std::fputs(done == all ? "\r\x1b[K" : line.c_str(), stderr);
  } else if (done * 10 / all > (done - 1) * 10 / all) {
    std::fputs(absl::StrFormat("%d %% done, %.0f s left\n", 100 * done / all, left).c_str(),
               stderr);
  }
}

int RunSeeds(const Options& options) {
  constexpr uint64_t kMostFailures = 5;
  const auto start = std::chrono::steady_clock::now();
  json failures = json::array();
  Result all;
  uint64_t done = 0;
  while (done < options.seeds && failures.size() < kMostFailures) {
    const uint64_t seed = options.first + done;
    const Scenario scenario =
        options.fault.empty() ? ScenarioOf(seed) : ScenarioWithFault(seed, options.fault);
    History history(options.history);
    const Result result = RunScenario(scenario, &history);
    for (const std::string& line : history.lines()) std::puts(line.c_str());
    if (result.violation) {
      failures.push_back({{"seed", seed}, {"violation", *result.violation}});
      std::fputs(Explain(scenario, result, 40).c_str(), stderr);
    }
    all.steps += result.steps;
    all.writes += result.writes;
    all.reads += result.reads;
    all.calls += result.calls;
    all.end_ns += result.end_ns;
    ShowProgress(++done, options.seeds, SecondsSince(start));
  }
  const double seconds = SecondsSince(start);
  const json report = {{"seeds", done},
                       {"failures", failures},
                       {"seconds", seconds},
                       {"events", all.steps},
                       {"simulated_seconds", static_cast<double>(all.end_ns) / 1e9},
                       {"etcd_calls", all.calls},
                       {"writes_checked", all.writes},
                       {"reads_checked", all.reads}};
  const std::string text = absl::StrFormat(
      "%d seeds, %d failed, in %.1f s: %.0f seeds/s, %.0f events/s; %.0f s of their time, %d calls "
      "of etcd, %d writes and %d reads checked",
      done, failures.size(), seconds, static_cast<double>(done) / seconds,
      static_cast<double>(all.steps) / seconds, static_cast<double>(all.end_ns) / 1e9, all.calls,
      all.writes, all.reads);
  std::puts(options.as_json ? report.dump().c_str() : text.c_str());
  return failures.empty() ? 0 : 1;
}

int RunNodes(const Options& options) {
  const auto phases = RunScale(options.nodes, options.batch, [](const std::string& what) {
    std::fputs(absl::StrFormat(isatty(STDERR_FILENO) != 0 ? "\r\x1b[K%s" : "%s\n", what).c_str(),
               stderr);
  });
  if (isatty(STDERR_FILENO) != 0) std::fputs("\r\x1b[K", stderr);
  json report = json::array();
  for (const ScalePhase& phase : phases) {
    report.push_back({{"phase", phase.name},
                      {"seconds", phase.seconds},
                      {"map_bytes", phase.map_bytes},
                      {"map_ranges", phase.map_ranges},
                      {"map_changes", phase.map_changes},
                      {"slots_moved", phase.slots_moved},
                      {"etcd_calls", phase.etcd_calls},
                      {"txns_per_second", phase.txns_per_second}});
    if (options.as_json) continue;
    std::printf(
        "%-60s %7.1f s, map of %zu bytes, %zu ranges, %llu changes, %llu slots moved, %llu calls "
        "of etcd, %llu Txn/s\n",
        phase.name.c_str(), phase.seconds, phase.map_bytes, phase.map_ranges,
        static_cast<unsigned long long>(phase.map_changes),
        static_cast<unsigned long long>(phase.slots_moved),
        static_cast<unsigned long long>(phase.etcd_calls),
        static_cast<unsigned long long>(phase.txns_per_second));
  }
  if (options.as_json) std::puts(report.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite::simulation

int main(int argc, char** argv) {
  ferrite::simulation::Options options;
  CLI::App app("Runs simulated clusters, one for each seed.");
  app.add_option("--first", options.first, "the first seed");
  app.add_option("--seeds", options.seeds, "how many");
  app.add_option_function<uint64_t>(
      "--seed",
      [&](uint64_t seed) {
        options.first = seed;
        options.seeds = 1;
      },
      "this one only");
  app.add_option("--fault", options.fault, "plant this fault")
      ->check(CLI::IsMember(ferrite::simulation::FaultNames()));
  app.add_flag("--history", options.history, "print all that happens");
  app.add_option("--nodes", options.nodes,
                 "instead: one cluster of so many nodes, without trouble");
  app.add_option("--batch", options.batch, "how many of these are started again at a time")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.as_json, "print the figures as JSON");
  CLI11_PARSE(app, argc, argv);
  return options.nodes > 0 ? ferrite::simulation::RunNodes(options)
                           : ferrite::simulation::RunSeeds(options);
}
