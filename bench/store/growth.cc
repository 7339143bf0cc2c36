// Fills a ferrite::Store without a limit and times every single Set, as one line of JSON: a hash
// table that has to grow must not make one caller wait for all of it.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/store/sweeper.h"
#include "bench/store/timed_calls.h"
#include "bench/store/workload.h"
#include "store/store.h"

namespace ferrite::bench {
namespace {

int Main(int argc, char** argv) {
  uint64_t keys = 5'000'000;
  size_t value_bytes = 64;
  int threads = 2;
  double idle_seconds = 3;
  CLI::App app("The slowest Set while a store grows from empty");
  app.add_option("--keys", keys, "How many entries")->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", value_bytes, "Size of a value");
  app.add_option("--threads", threads, "How many threads write")->check(CLI::PositiveNumber);
  app.add_option("--idle-seconds", idle_seconds, "How long the machine alone is measured");
  CLI11_PARSE(app, argc, argv);

  const TimedCalls idle = IdleCalls(threads, std::chrono::duration<double>(idle_seconds));
  const std::string value(value_bytes, 'v');
  Store store(StoreOptions{});
  Sweeper sweeper(&store);
  std::vector<TimedCalls> calls(threads);
  OnThreads(threads, [&](int thread) {
    for (uint64_t i = thread; i < keys; i += threads) {
      const Key key(i);
      calls[thread].Run([&] { store.Set(key.view(), value); });
    }
  });
  TimedCalls all;
  for (const TimedCalls& own : calls) all.Add(own);

  if (store.Stats().entries != keys) {
    std::cerr << "bench-store-growth: the store does not hold what was set\n";
    return EXIT_FAILURE;
  }
  std::cout << nlohmann::json{{"keys", keys},
                              {"value_bytes", value_bytes},
                              {"threads", threads},
                              {"sets", all.ToJson()},
                              {"idle", idle.ToJson()}}
            << "\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
