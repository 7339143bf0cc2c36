// Runs worlds, one for each seed, and says what failed in which.

#include <chrono>
#include <cstdio>
#include <string>

#include <unistd.h>

#include "CLI/CLI.hpp"
#include "absl/strings/str_format.h"
#include "tests/simulation/fault_names.h"
#include "tests/simulation/world.h"

namespace ferrite::simulation {
namespace {

struct Options {
  uint64_t first = 1;
  uint64_t seeds = 300;
  std::string fault;
  bool history = false;
};

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A bar on a terminal, otherwise a line per tenth.
void ShowProgress(uint64_t done, uint64_t all, double seconds) {
  const double left = seconds / static_cast<double>(done) * static_cast<double>(all - done);
  if (isatty(STDERR_FILENO) != 0) {
    const std::string filled(30 * done / all, '#');
    const std::string line =
        absl::StrFormat("\r\x1b[K[%-30s] %d/%d, %.0f s left", filled, done, all, left);
    std::fputs(done == all ? "\r\x1b[K" : line.c_str(), stderr);
  } else if (done * 10 / all > (done - 1) * 10 / all) {
    std::fputs(absl::StrFormat("%d %% done, %.0f s left\n", 100 * done / all, left).c_str(),
               stderr);
  }
}

int Run(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  uint64_t failed = 0;
  Result all;
  double world_seconds = 0;
  for (uint64_t done = 0; done < options.seeds; ++done) {
    const uint64_t seed = options.first + done;
    const Scenario scenario =
        options.fault.empty() ? ScenarioOf(seed) : ScenarioWithFault(seed, options.fault);
    History history(options.history);
    const Result outcome = RunScenario(scenario, &history);
    for (const std::string& line : history.lines()) std::puts(line.c_str());
    if (outcome.violation) {
      ++failed;
      std::fputs(Explain(scenario, outcome, 40).c_str(), stdout);
      if (failed == 5) break;
    }
    all.steps += outcome.steps;
    all.writes += outcome.writes;
    all.reads += outcome.reads;
    all.calls += outcome.calls;
    world_seconds += static_cast<double>(outcome.end_ns) / 1e9;
    ShowProgress(done + 1, options.seeds, SecondsSince(start));
  }
  const double seconds = SecondsSince(start);
  std::printf(
      "%llu seeds, %llu failed, %.1f s: %.0f seeds/s, %.0f events/s; %.0f s of their time, %llu "
      "calls of etcd, "
      "%llu writes and %llu reads checked\n",
      static_cast<unsigned long long>(options.seeds), static_cast<unsigned long long>(failed),
      seconds, static_cast<double>(options.seeds) / seconds,
      static_cast<double>(all.steps) / seconds, world_seconds,
      static_cast<unsigned long long>(all.calls), static_cast<unsigned long long>(all.writes),
      static_cast<unsigned long long>(all.reads));
  return failed == 0 ? 0 : 1;
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
  CLI11_PARSE(app, argc, argv);
  return ferrite::simulation::Run(options);
}
