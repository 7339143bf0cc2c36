// Calls all nodes of a cluster about the same keys until its input ends, and then judges what it
// was told. Lines of its input say when slots may change their owner: "moving", "settled"; or, at
// the end, that none has: "kept".

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "nlohmann/json.hpp"
#include "tests/chaos/caller.h"
#include "tests/chaos/judge.h"

namespace ferrite {
namespace {

using nlohmann::json;

struct Arguments {
  std::vector<std::string> nodes;
  uint32_t callers = 4;
  uint32_t library_callers = 4;
  std::string history;
  CallerOptions options;
};

// Follows the input to its end. Returns when the keys may have been forgotten.
std::vector<TimeSpan> FollowInput(const CallerOptions& options) {
  std::vector<TimeSpan> losses;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "moving") losses.emplace_back(ElapsedNs(options), INT64_MAX);
    if (line == "settled" && !losses.empty()) losses.back().second = ElapsedNs(options);
    if (line == "kept") losses.clear();
  }
  return losses;
}

void WriteHistory(const std::string& path, const std::string& key,
                  const std::vector<ObservedCall>& observed) {
  std::ofstream file(path, std::ios::app);
  for (const ObservedCall& each : observed) {
    constexpr const char* kOutcomes[] = {"", " unknown", " nothing done"};
    file << key << " " << each.call.ToString() << kOutcomes[static_cast<int>(each.outcome)] << "\n";
  }
}

json Judge(const Arguments& arguments, const std::vector<std::unique_ptr<Caller>>& callers,
           const std::vector<TimeSpan>& losses) {
  uint64_t operations = 0;
  uint64_t unknown = 0;
  int64_t silence_ns = 0;
  json violations = json::array();
  std::map<std::string, uint64_t> failures;
  for (size_t index = 0; index < arguments.options.keys(); ++index) {
    std::vector<ObservedCall> observed;
    for (const auto& caller : callers) {
      const auto& part = caller->observed()[index];
      observed.insert(observed.end(), part.begin(), part.end());
    }
    for (const ObservedCall& each : observed) {
      operations += each.outcome == Outcome::kKnown;
      unknown += each.outcome == Outcome::kUnknown;
    }
    silence_ns = std::max(silence_ns, LongestSilenceNs(observed));
    const std::string key = arguments.options.prefix + std::to_string(index);
    if (const auto fault = FindBrokenPromise(observed, losses)) {
      violations.push_back(key + ": " + *fault);
      if (!arguments.history.empty()) WriteHistory(arguments.history, key, observed);
    }
  }
  for (const auto& caller : callers) {
    for (const auto& [reason, count] : caller->failures()) failures[reason] += count;
  }
  return {{"operations", operations},
          {"unknown", unknown},
          {"failures", failures},
          {"violations", violations},
          {"longest_silence_s", static_cast<double>(silence_ns) / 1e9}};
}

int Run(Arguments arguments) {
  arguments.options.start_ns = ElapsedNs({});
  std::vector<std::unique_ptr<Caller>> callers;
  auto services = NodesByLibrary(arguments.nodes, arguments.library_callers);
  for (const std::string& node : arguments.nodes) {
    for (uint32_t each = 0; each < arguments.callers; ++each) {
      services.push_back(NodeByStubs(node, arguments.options.timeout));
    }
  }
  for (uint32_t number = 0; number < services.size(); ++number) {
    callers.push_back(
        std::make_unique<Caller>(arguments.options, std::move(services[number]), number));
  }
  absl::Notification stop;
  std::vector<std::thread> threads;
  for (const auto& caller : callers) threads.emplace_back([&] { caller->Run(stop); });
  const std::vector<TimeSpan> losses = FollowInput(arguments.options);
  stop.Notify();
  for (std::thread& thread : threads) thread.join();
  std::puts(Judge(arguments, callers, losses).dump().c_str());
  return 0;
}

}  // namespace
}  // namespace ferrite

int main(int argc, char** argv) {
  ferrite::Arguments arguments;
  CLI::App app("Calls the nodes of a cluster until its input ends, and judges their answers.");
  app.add_option("--nodes", arguments.nodes, "their addresses")->delimiter(',')->required();
  app.add_option("--callers", arguments.callers, "how many call each node by plain stubs");
  app.add_option("--library-callers", arguments.library_callers,
                 "how many call all nodes through the client library");
  app.add_option("--prefix", arguments.options.prefix, "what all keys start with");
  app.add_option("--history", arguments.history,
                 "where to write the calls on keys that went wrong");
  CLI11_PARSE(app, argc, argv);
  return ferrite::Run(arguments);
}
