// Lets a million entries of a ferrite::Store expire at one moment, while one thread sweeps and
// others read and write entries that stay, and prints one line of JSON: whether the expired ones
// are gone at once, how long single operations took meanwhile, and what the sweep cost.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "bench/store/sweeper.h"
#include "bench/store/timed_calls.h"
#include "bench/store/workload.h"
#include "store/store.h"

namespace ferrite::bench {
namespace {

using std::chrono::steady_clock;

enum class Stage { kBefore, kReclaiming, kOver };

struct Settings {
  uint64_t keys = 1'000'000;
  uint64_t staying_keys = 1'000'000;
  size_t value_bytes = 64;
  int threads = 1;
};

// How many of a sample of the expired entries a reader still finds.
uint64_t FoundAmongExpired(Store* store, uint64_t keys) {
  uint64_t found = 0;
  for (uint64_t i = 0; i < keys; i += std::max<uint64_t>(1, keys / 10'000))
    found += store->Exists(Key(i).view());
  return found;
}

// Reads and writes, one after the other, entries that stay, and times those of each stage apart.
class Load {
 public:
  Load(const Settings& settings, Store* store)
      : settings_(settings), store_(*store), before_(settings.threads), during_(settings.threads) {}

  void Run(int thread) {
    const std::string value(settings_.value_bytes, 'w');
    Random random(thread);
    ReadResult result;
    for (Stage stage; (stage = stage_.load(std::memory_order_relaxed)) != Stage::kOver;) {
      const Key key(settings_.keys + Below(settings_.staying_keys, random));
      const bool write = random.Next() % 2 == 0;
      TimedCalls& calls = (stage == Stage::kBefore ? before_ : during_)[thread];
      calls.Run([&] {
        if (write) {
          store_.Set(key.view(), value);
        } else {
          store_.Get(key.view(), {}, &result);
        }
      });
    }
  }

  void Enter(Stage stage) { stage_ = stage; }

  nlohmann::json before() const { return Joined(before_); }
  nlohmann::json during() const { return Joined(during_); }

 private:
  static nlohmann::json Joined(const std::vector<TimedCalls>& parts) {
    TimedCalls all;
    for (const TimedCalls& part : parts) all.Add(part);
    return all.ToJson();
  }

  const Settings& settings_;
  Store& store_;
  std::atomic<Stage> stage_ = Stage::kBefore;
  std::vector<TimedCalls> before_;
  std::vector<TimedCalls> during_;
};

// None when the machine is too slow: entries would expire before all are set.
std::optional<nlohmann::json> Measure(const Settings& settings) {
  Store store(StoreOptions{});
  const std::string value(settings.value_bytes, 'v');
  for (uint64_t i = 0; i < settings.staying_keys; ++i)
    store.Set(Key(settings.keys + i).view(), value);

  // Time enough to set them all on a slow machine, and a second beyond to see an ordinary load.
  const auto lead = std::chrono::milliseconds(1000 + settings.keys * 3 / 1000);
  const auto due = steady_clock::now() + lead;
  const int64_t due_unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  (std::chrono::system_clock::now() + lead).time_since_epoch())
                                  .count();
  for (uint64_t i = 0; i < settings.keys; ++i)
    store.Set(Key(i).view(), value, {.expiry = Expiry::At(due_unix_ms)});
  if (due < steady_clock::now() + std::chrono::milliseconds(200)) return std::nullopt;

  Sweeper sweeper(&store);
  Load load(settings, &store);
  std::thread loaders([&] { OnThreads(settings.threads, [&](int thread) { load.Run(thread); }); });
  const uint64_t bytes_before = store.Stats().memory_bytes();
  const uint64_t cpu_ns_before = sweeper.WaitForRound();

  std::this_thread::sleep_until(due);
  load.Enter(Stage::kReclaiming);
  // The clock that the store reads may be a few milliseconds behind.
  std::this_thread::sleep_until(due + std::chrono::milliseconds(5));
  const uint64_t found = FoundAmongExpired(&store, settings.keys);
  uint64_t cpu_ns = 0;
  StoreStats stats;
  do {
    cpu_ns = sweeper.WaitForRound() - cpu_ns_before;
    stats = store.Stats();
  } while (stats.expired_by_sweep + stats.expired_on_access < settings.keys);
  const std::chrono::duration<double> reclaimed = steady_clock::now() - due;
  load.Enter(Stage::kOver);
  loaders.join();
  return nlohmann::json{{"keys", settings.keys},
                        {"staying_keys", settings.staying_keys},
                        {"threads", settings.threads},
                        {"found_after_expiry", found},
                        {"seconds_to_reclaim", reclaimed.count()},
                        {"sweep_ns_per_key", static_cast<double>(cpu_ns) / stats.expired_by_sweep},
                        {"own_bytes_before", bytes_before},
                        {"own_bytes_after", stats.memory_bytes()},
                        {"before", load.before()},
                        {"during", load.during()}};
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("What it costs when many entries expire at once");
  app.add_option("--keys", settings.keys, "How many expire")->check(CLI::PositiveNumber);
  app.add_option("--staying-keys", settings.staying_keys, "How many stay")
      ->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", settings.value_bytes, "Size of a value");
  app.add_option("--threads", settings.threads, "How many threads read and write")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  const std::optional<nlohmann::json> outcome = Measure(settings);
  if (!outcome) {
    std::cerr << "bench-store-expiry: the machine is too slow: entries expire before all are set\n";
    return EXIT_FAILURE;
  }
  std::cout << *outcome << "\n";
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ferrite::bench

int main(int argc, char** argv) { return ferrite::bench::Main(argc, argv); }
