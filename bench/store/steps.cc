// Times every step of what takes long in a ferrite::Store, as one line of JSON: a flush, room for a
// large value, and single writes into a store that is full of small entries.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/store/timed_calls.h"
#include "bench/store/workload.h"
#include "store/flush_walk.h"
#include "store/room_reservation.h"
#include "store/store.h"

namespace ferrite::bench {
namespace {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

nlohmann::json Flush(uint64_t keys, size_t value_bytes) {
  Store store(StoreOptions{});
  const std::string value(value_bytes, 'v');
  for (uint64_t i = 0; i < keys; ++i) store.Set(Key(i).view(), value);
  while (!store.Sweep()) {
  }
  FlushWalk walk(&store);
  TimedCalls steps;
  const auto start = std::chrono::steady_clock::now();
  for (bool more = true; more;) steps.Run([&] { more = walk.Step(); });
  return {{"keys", walk.deleted()},
          {"ns_per_key", SecondsSince(start) * 1e9 / static_cast<double>(walk.deleted())},
          {"steps", steps.ToJson()}};
}

class FullStore {
 public:
  FullStore(size_t limit_bytes, size_t value_bytes) : store_({.max_memory_bytes = limit_bytes}) {
    const std::string value(value_bytes, 'v');
    while (store_.Stats().evictions == 0) {
      for (int i = 0; i < 10'000; ++i) store_.Set(Key(next_++).view(), value);
    }
    while (!store_.Sweep()) {
    }
  }
  Store& operator*() { return store_; }
  uint64_t Evictions() const { return store_.Stats().evictions; }

 private:
  Store store_;
  uint64_t next_ = 0;
};

nlohmann::json Room(size_t limit_bytes, size_t value_bytes, size_t large_bytes) {
  FullStore full(limit_bytes, value_bytes);
  const std::string value(large_bytes, 'v');
  const uint64_t evictions = full.Evictions();
  RoomReservation room(&*full, value);
  TimedCalls steps, set;
  const auto start = std::chrono::steady_clock::now();
  for (auto progress = RoomReservation::Progress::kMore;
       progress == RoomReservation::Progress::kMore;) {
    steps.Run([&] { progress = room.Step(); });
  }
  const double seconds = SecondsSince(start);
  set.Run([&] { (*full).Set("large", &room); });
  return {{"large_bytes", large_bytes},
          {"evictions", full.Evictions() - evictions},
          {"seconds", seconds},
          {"steps", steps.ToJson()},
          {"set", set.ToJson()}};
}

nlohmann::json Writes(size_t limit_bytes, size_t value_bytes, size_t written_bytes) {
  FullStore full(limit_bytes, value_bytes);
  const std::string value(written_bytes, 'w');
  TimedCalls sets;
  const size_t count = std::min<size_t>(2000, limit_bytes / 4 / written_bytes);
  for (size_t i = 0; i < count; ++i) {
    sets.Run([&] { (*full).Set(Key(uint64_t{1} << 40 | i).view(), value); });
  }
  return {{"written_bytes", written_bytes}, {"sets", sets.ToJson()}};
}

int Main(int argc, char** argv) {
  uint64_t keys = 2'500'000;
  size_t value_bytes = 64, limit_mib = 256, large_mib = 64;
  CLI::App app("The longest step of a flush and of making room for a large value");
  app.add_option("--keys", keys, "How many entries are flushed")->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", value_bytes, "Size of a small value");
  app.add_option("--limit-mib", limit_mib, "Memory limit of a store that is full")
      ->check(CLI::PositiveNumber);
  app.add_option("--large-mib", large_mib, "Size of the large value")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  nlohmann::json writes = nlohmann::json::array();
  for (const size_t bytes : {64, 900, 4096, 32 << 10, 100 << 10, 1 << 20}) {
    writes.push_back(Writes(limit_mib << 20, value_bytes, bytes));
  }
  std::cout << nlohmann::json{{"flush", Flush(keys, value_bytes)},
                              {"room", Room(limit_mib << 20, value_bytes, large_mib << 20)},
                              {"writes", writes}}
            << "\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
