// Fills a ferrite::Store and prints what an entry costs, as one line of JSON: by how much the
// process grew in memory, and what the store itself counts.

#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <CLI/CLI.hpp>

#include "bench/store/workload.h"
#include "store/store.h"

namespace ferrite::bench {
namespace {

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total_pages = 0, resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

int Main(int argc, char** argv) {
  uint64_t keys = 1'000'000;
  size_t value_bytes = 64;
  CLI::App app("What an entry of ferrite::Store costs in memory");
  app.add_option("--keys", keys, "How many entries")->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", value_bytes, "Size of a value");
  CLI11_PARSE(app, argc, argv);

  const std::string value(value_bytes, 'v');
  const uint64_t before = ResidentBytes();
  Store store(StoreOptions{});
  for (uint64_t i = 0; i < keys; ++i) store.Set(Key(i).view(), value);
  const uint64_t growth = ResidentBytes() - before;

  const StoreStats stats = store.Stats();
  if (stats.entries != keys) {
    std::fprintf(stderr, "bench-store-memory: the store holds %" PRIu64 " of %" PRIu64 " entries\n",
                 stats.entries, keys);
    return EXIT_FAILURE;
  }
  std::printf(R"({"name":"ferrite","keys":%)" PRIu64
              R"(,"value_bytes":%zu,"rss_growth_bytes":%)" PRIu64 R"(,"own_count_bytes":%)" PRIu64
              "}\n",
              keys, value_bytes, growth, stats.memory_bytes());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
