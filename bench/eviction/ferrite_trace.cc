// Replays a trace against caches of the same memory and prints their miss ratios: one line of JSON
// for the trace, then one for each cache. A replay asks for a key and, on a miss, stores it.
//
//   ferrite-trace --trace zipf_0.9 --memory 32MiB
//   ferrite-trace --trace requests.csv --memory 1GiB --policies lru,ferrite

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/eviction/cache.h"
#include "bench/eviction/csv_trace.h"
#include "bench/eviction/entry_cost.h"
#include "bench/eviction/peer_caches.h"
#include "bench/eviction/simulated_caches.h"
#include "bench/eviction/store_cache.h"
#include "bench/eviction/synthetic_trace.h"

namespace ferrite::bench {
namespace {

struct Options {
  std::string trace;
  uint64_t memory_bytes = uint64_t{32} << 20;
  size_t requests = 1'500'000;
  double warm_up = 0.2;
  size_t shards = 0;
  std::vector<std::string> policies = {"ferrite", "lru", "fifo", "belady"};
  std::string redis;
  std::string server_name = "server";
  std::string memcached;
};

constexpr size_t kKeyBytes = 16;
// Of the hash table, for an entry: what a synthetic trace is laid out for. The replay measures it.
constexpr double kTypicalTableBytes = 20;

Trace Load(const Options& options) {
  for (const SyntheticTrace& known : SyntheticTraces()) {
    if (known.name != options.trace) continue;
    const double cost = EntryCost(kTypicalTableBytes).Of(kKeyBytes, MeanValueBytes(known.name));
    const auto fit = static_cast<size_t>(static_cast<double>(options.memory_bytes) / cost);
    return MakeSyntheticTrace(known.name, options.requests, fit);
  }
  return ReadCsvTrace(options.trace);
}

class Replayer {
 public:
  Replayer(const Options& options, const Trace& trace)
      : options_(options),
        trace_(trace),
        warm_up_(
            static_cast<size_t>(options.warm_up * static_cast<double>(trace.requests.size()))) {}

  // The store goes first: it tells what the hash table takes.
  void RunAll() {
    StoreCache store(trace_, options_.memory_bytes, options_.shards);
    const size_t store_misses = CountMisses(&store, trace_, warm_up_);
    const StoreStats stats = store.Stats();
    const EntryCost cost(static_cast<double>(stats.table_bytes) /
                         static_cast<double>(std::max<uint64_t>(1, stats.entries)));
    for (const std::string& policy : options_.policies) {
      if (policy == "ferrite") {
        Print(policy, store_misses, stats.entries);
      } else {
        const auto make = policy == "lru" ? MakeLru : policy == "fifo" ? MakeFifo : MakeBelady;
        const auto cache = make(trace_, static_cast<double>(options_.memory_bytes), cost);
        Print(policy, CountMisses(cache.get(), trace_, warm_up_));
      }
    }
  }

  void Run(const std::string& name, Cache* cache) const {
    Print(name, CountMisses(cache, trace_, warm_up_));
  }

 private:
  void Print(const std::string& policy, size_t misses, size_t entries = 0) const {
    const size_t counted = trace_.requests.size() - warm_up_;
    nlohmann::json line = {
        {"policy", policy},
        {"misses", misses},
        {"miss_ratio", static_cast<double>(misses) / static_cast<double>(counted)}};
    if (entries > 0) line["entries"] = entries;
    std::cout << line.dump() << std::endl;
  }

  const Options& options_;
  const Trace& trace_;
  const size_t warm_up_;
};

void DescribeAll() {
  for (const SyntheticTrace& trace : SyntheticTraces()) {
    const nlohmann::json line = {{"trace", trace.name}, {"description", trace.description}};
    std::cout << line.dump() << "\n";
  }
}

int Main(int argc, char** argv) {
  Options options;
  bool list = false;
  CLI::App app("Miss ratios of caches of the same memory");
  app.option_defaults()->always_capture_default();
  app.add_option("--trace", options.trace,
                 "A synthetic trace (see --list), or a file of lines time,key,size");
  app.add_flag("--list", list, "Print the synthetic traces");
  app.add_option("--memory", options.memory_bytes, "Bytes, or with a unit such as MiB")
      ->transform(CLI::AsSizeValue(false));
  app.add_option("--requests", options.requests,
                 "How long a synthetic trace is; a file is taken as long as it is")
      ->check(CLI::PositiveNumber);
  app.add_option("--warm-up", options.warm_up, "Share of the requests before misses are counted")
      ->check(CLI::Range(0.0, 0.99));
  app.add_option("--shards", options.shards, "Of the store; 0: as many as it likes");
  app.add_option("--policies", options.policies, "Of ferrite, lru, fifo, belady")
      ->delimiter(',')
      ->check(CLI::IsMember({"ferrite", "lru", "fifo", "belady"}));
  app.add_option("--redis", options.redis, "Replay against the Redis at this Unix socket instead");
  app.add_option("--memcached", options.memcached, "The same for a memcached");
  app.add_option("--name", options.server_name, "What to call that server in the output");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    DescribeAll();
    return EXIT_SUCCESS;
  }
  if (options.trace.empty()) {
    std::fputs("ferrite-trace: say which --trace; --list tells the synthetic ones\n", stderr);
    return EXIT_FAILURE;
  }

  const Trace trace = Load(options);
  const nlohmann::json header = {{"trace", options.trace},
                                 {"requests", trace.requests.size()},
                                 {"keys", trace.keys.size()},
                                 {"value_bytes", trace.footprint_bytes},
                                 {"memory_bytes", options.memory_bytes},
                                 {"warm_up", options.warm_up}};
  std::cout << header.dump() << std::endl;
  const Options& fixed = options;
  Replayer replayer(fixed, trace);
  if (!options.redis.empty()) {
    replayer.Run(options.server_name, ConnectRedis(trace, options.redis).get());
  } else if (!options.memcached.empty()) {
    replayer.Run(options.server_name, ConnectMemcached(trace, options.memcached).get());
  } else {
    replayer.RunAll();
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
