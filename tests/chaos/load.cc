// Calls all nodes of a cluster about the same keys until its input ends, and then judges what it
// was told. Lines of its input say when slots may change their owner: "moving", "settled"; since
// when all is as before: "calm"; or, at the end, that no slot has changed its owner: "kept".

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
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

// What the input has told.
struct Told {
  TimeSpan moving = {INT64_MAX, INT64_MAX};
  int64_t calm_ns = INT64_MAX;
  bool kept = false;
  int64_t end_ns = 0;

  // When the keys may have been forgotten.
  std::vector<TimeSpan> Losses() const {
    return kept || moving.first == INT64_MAX ? std::vector<TimeSpan>() : std::vector{moving};
  }
  const char* PhaseAt(int64_t time_ns) const {
    return time_ns < moving.first ? "before" : time_ns < calm_ns ? "during" : "after";
  }
};

// Follows the input to its end.
Told FollowInput(const CallerOptions& options) {
  Told told;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "moving") told.moving.first = ElapsedNs(options);
    if (line == "settled") told.moving.second = ElapsedNs(options);
    if (line == "calm") told.calm_ns = ElapsedNs(options);
    if (line == "kept") told.kept = true;
  }
  told.end_ns = ElapsedNs(options);
  return told;
}

void WriteHistory(const std::string& path, const std::string& key,
                  const std::vector<ObservedCall>& observed) {
  std::ofstream file(path, std::ios::app);
  for (const ObservedCall& each : observed) {
    constexpr const char* kOutcomes[] = {"", " unknown", " nothing done"};
    file << key << " " << each.call.ToString() << kOutcomes[static_cast<int>(each.outcome)] << "\n";
  }
}

// All calls on one key, of those who came this way; an empty one: of all.
std::vector<ObservedCall> CallsOn(size_t index, const std::string& way,
                                  const std::vector<std::unique_ptr<Caller>>& callers) {
  std::vector<ObservedCall> observed;
  for (const auto& caller : callers) {
    if (!way.empty() && caller->way() != way) continue;
    const auto& part = caller->observed()[index];
    observed.insert(observed.end(), part.begin(), part.end());
  }
  return observed;
}

// What those saw who came one way: how many of their calls were answered, before, during and after
// what happened, and for how long they were not answered: about a key that they asked for, or at
// all.
json SeenBy(const std::string& way, size_t keys, const Told& told,
            const std::vector<std::unique_ptr<Caller>>& callers) {
  json seen;
  for (const char* phase : {"before", "during", "after"})
    seen[phase] = {{"calls", 0}, {"answers", 0}};
  int64_t silence_ns = 0;
  std::vector<ObservedCall> all;
  for (size_t index = 0; index < keys; ++index) {
    const std::vector<ObservedCall> observed = CallsOn(index, way, callers);
    all.insert(all.end(), observed.begin(), observed.end());
    for (const ObservedCall& each : observed) {
      json& phase = seen[told.PhaseAt(each.call.begin_ns)];
      phase["calls"] = phase["calls"].get<int>() + 1;
      if (each.outcome == Outcome::kKnown) phase["answers"] = phase["answers"].get<int>() + 1;
    }
    silence_ns = std::max(silence_ns, LongestWaitNs(observed, told.end_ns));
  }
  silence_ns = std::max(silence_ns, LongestSilenceNs(all, {0, told.end_ns}));
  seen["longest_silence_s"] = static_cast<double>(silence_ns) / 1e9;
  return seen;
}

json Judge(const Arguments& arguments, const std::vector<std::unique_ptr<Caller>>& callers,
           const Told& told) {
  std::map<Outcome, uint64_t> outcomes;
  json violations = json::array();
  const size_t keys = arguments.options.keys();
  for (size_t index = 0; index < keys; ++index) {
    const std::vector<ObservedCall> observed = CallsOn(index, "", callers);
    for (const ObservedCall& each : observed) ++outcomes[each.outcome];
    const std::string key = arguments.options.prefix + std::to_string(index);
    if (const auto fault = FindBrokenPromise(observed, told.Losses())) {
      violations.push_back(key + ": " + *fault);
      if (!arguments.history.empty()) WriteHistory(arguments.history, key, observed);
    }
  }
  std::map<std::string, uint64_t> failures;
  json ways;
  for (const auto& caller : callers) {
    for (const auto& [reason, count] : caller->failures()) failures[reason] += count;
    if (!ways.contains(caller->way()))
      ways[caller->way()] = SeenBy(caller->way(), keys, told, callers);
  }
  return {{"operations", outcomes[Outcome::kKnown]},
          {"unknown", outcomes[Outcome::kUnknown]},
          {"nothing_done", outcomes[Outcome::kNothingDone]},
          {"failures", failures},
          {"violations", violations},
          {"ways", ways},
          {"longest_silence_s", SeenBy("", keys, told, callers)["longest_silence_s"]}};
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
  const Told told = FollowInput(arguments.options);
  stop.Notify();
  for (std::thread& thread : threads) thread.join();
  std::puts(Judge(arguments, callers, told).dump().c_str());
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
