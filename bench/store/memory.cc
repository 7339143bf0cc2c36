// Fills a ferrite::Store and prints what an entry costs, as one line of JSON: by how much the
// process grew in memory, and what the store itself counts.

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/store/resident.h"
#include "bench/store/workload.h"
#include "store/store.h"

namespace ferrite::bench {
namespace {

int Main(int argc, char** argv) {
  uint64_t keys = 1'000'000;
  size_t value_bytes = 64;
  int64_t ttl_ms = 0;
  CLI::App app("What an entry of ferrite::Store costs in memory");
  app.add_option("--keys", keys, "How many entries")->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", value_bytes, "Size of a value");
  app.add_option("--ttl-ms", ttl_ms, "Time to live of every entry; 0: none")
      ->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);

  const std::string value(value_bytes, 'v');
  const SetOptions options = {.expiry = ttl_ms > 0 ? Expiry::After(ttl_ms) : Expiry::Never()};
  const uint64_t before = ResidentBytes();
  Store store(StoreOptions{});
  for (uint64_t i = 0; i < keys; ++i) store.Set(Key(i).view(), value, options);
  const uint64_t growth = ResidentBytes() - before;

  const StoreStats stats = store.Stats();
  if (stats.entries != keys) {
    std::cerr << "bench-store-memory: the store holds " << stats.entries << " of " << keys
              << " entries\n";
    return EXIT_FAILURE;
  }
  std::cout << nlohmann::json{{"name", "ferrite"},
                              {"keys", keys},
                              {"value_bytes", value_bytes},
                              {"rss_growth_bytes", growth},
                              {"own_count_bytes", stats.memory_bytes()}}
            << "\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
