// store_soak: works on a store with many threads for as long as asked, and checks every answer.
//
//   store_soak --seconds 3600 --threads 8 --max-memory 8388608 --seed 1
//
// Time is cut into rounds. In a round the workers do what they like while a keeper sweeps and
// scans. Between rounds nobody works: what the store says of itself must agree with what is in it,
// and after a Flush nothing may be left. Now and then a new store with other options takes over.

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "CLI/CLI.hpp"
#include "tests/store/soak_worker.h"

namespace ferrite {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kOperationsPerRound = 5000;  // of each thread
constexpr uint64_t kRoundsPerFlush = 3;
constexpr size_t kTurnsPerLimit = 16;  // of the keeper
constexpr uint64_t kRoundsPerStore = 9;
constexpr size_t kMaxOvershootBytesPerThread = size_t{2} << 20;
constexpr auto kProgressInterval = std::chrono::seconds(10);

struct SoakOptions {
  uint64_t seconds = 60;
  size_t threads = 8;
  size_t max_memory_bytes = size_t{8} << 20;
  uint64_t seed = 1;
};

class Soak {
 public:
  explicit Soak(const SoakOptions& options) : options_(options) {
    for (size_t i = 0; i < keys_.size(); ++i) numbers_[keys_[i]] = i;
  }

  // Whether all went well.
  bool Run() {
    const auto start = SteadyClock::now();
    auto next_progress = start + kProgressInterval;
    for (uint64_t round = 0; SteadyClock::now() < start + std::chrono::seconds(options_.seconds);
         ++round) {
      if (round % kRoundsPerStore == 0) Begin(round / kRoundsPerStore);
      Work(round);
      CheckContent();
      if (round % kRoundsPerFlush == kRoundsPerFlush - 1) CheckFlush();
      if (SteadyClock::now() >= next_progress) {
        Tell("so far");
        next_progress += kProgressInterval;
      }
    }
    std::printf("soak: %" PRIu64 " operations, %" PRIu64 " faults\n", operations_, faults_.count());
    return faults_.count() == 0;
  }

 private:
  // A new store: with a limit and eviction, without eviction, or without a limit.
  void Begin(uint64_t generation) {
    if (subject_ != nullptr) evictions_ += subject_->store.Stats().evictions;
    const bool evict = generation % 4 != 1;
    const size_t limit = generation % 4 == 3 ? 0 : options_.max_memory_bytes;
    subject_ = std::make_unique<SoakSubject>(
        &keys_, &faults_,
        StoreOptions{
            .shards = size_t{1} << generation % 3, .max_memory_bytes = limit, .evict = evict});
  }

  void Work(uint64_t round) {
    std::atomic<size_t> working = options_.threads;
    std::vector<std::thread> threads;
    for (size_t t = 0; t < options_.threads; ++t) {
      threads.emplace_back([this, round, t, &working] {
        SoakWorker worker(subject_.get(), options_.seed + round * options_.threads + t);
        for (int i = 0; i < kOperationsPerRound; ++i) worker.Step();
        working.fetch_sub(1, std::memory_order_relaxed);
      });
    }
    threads.emplace_back([this, round, &working] { Keep(working, round % 2 == 1); });
    for (std::thread& thread : threads) thread.join();
    operations_ += options_.threads * kOperationsPerRound;
  }

  // Sweeps, scans and asks for figures until nobody works any more; and changes the limit if told
  // to.
  void Keep(const std::atomic<size_t>& working, bool limit_moves) {
    Store& store = subject_->store;
    const size_t limit = store.Stats().limit_bytes;
    ScanCursor cursor;
    std::vector<ScannedKey> scanned;
    ReadResult result;
    for (size_t turn = 1; working.load(std::memory_order_relaxed) > 0; ++turn) {
      store.Sweep();
      if (limit_moves && turn % kTurnsPerLimit == 0) {
        store.SetMaxMemoryBytes(limit / 4 * (turn / kTurnsPerLimit % 5));  // 0: none
      }
      scanned.clear();
      if (!store.Scan("", 50, &cursor, &scanned)) cursor = {};
      for (const ScannedKey& each : scanned) {
        const size_t key = NumberOf(each.key);
        const VersionFloor floor = subject_->floors.Of(key);
        store.Peek(each.key, true, &result);
        if (result.found) subject_->CheckFound(key, floor, result);
      }
      (void)store.Stats();
    }
    store.SetMaxMemoryBytes(limit);
  }

  // While nobody works: a scan meets each entry once, the entries are whole, the counts fit.
  void CheckContent() {
    ScanCursor cursor;
    std::vector<ScannedKey> scanned;
    while (subject_->store.Scan("", 100, &cursor, &scanned)) {
    }
    std::vector<int> met(keys_.size());
    ReadResult result;
    for (const ScannedKey& each : scanned) {
      const size_t key = NumberOf(each.key);
      if (++met[key] == 2) faults_.Report("was scanned twice", each.key);
      subject_->store.Peek(each.key, true, &result);
      if (result.found) subject_->CheckFound(key, subject_->floors.Of(key), result);
    }
    for (size_t key = 0; key < keys_.size(); ++key) {
      if (met[key] == 0 && subject_->store.Exists(keys_[key])) {
        faults_.Report("is there and was not scanned", keys_[key]);
      }
    }
    const StoreStats stats = subject_->store.Stats();
    if (stats.entries > scanned.size()) Complain("counts too many entries", stats.entries);
    if (stats.limit_bytes != 0 &&
        stats.memory_bytes() > stats.limit_bytes + options_.threads * kMaxOvershootBytesPerThread) {
      Complain("is above its limit", stats.memory_bytes());
    }
  }

  void CheckFlush() {
    subject_->store.Flush();
    const StoreStats stats = subject_->store.Stats();
    if (stats.entries != 0) Complain("has entries after Flush", stats.entries);
    if (stats.block_bytes != 0) Complain("has blocks after Flush", stats.block_bytes);
    if (stats.slot_bytes != 0) Complain("has slots after Flush", stats.slot_bytes);
    if (stats.reserved_bytes != 0) Complain("has room reserved for nobody", stats.reserved_bytes);
  }

  size_t NumberOf(const std::string& key) {
    const auto found = numbers_.find(key);
    if (found != numbers_.end()) return found->second;
    faults_.Report("was scanned and never written", key);
    return 0;
  }
  void Complain(const std::string& what, uint64_t figure) {
    faults_.Report("the store " + what + ": " + std::to_string(figure), "");
  }
  void Tell(const char* when) {
    const StoreStats stats = subject_->store.Stats();
    std::printf("soak %s: %" PRIu64 " operations, %" PRIu64 " faults; %" PRIu64 " entries, %" PRIu64
                " bytes, %" PRIu64 " evictions\n",
                when, operations_, faults_.count(), stats.entries, stats.memory_bytes(),
                evictions_ + stats.evictions);
    std::fflush(stdout);
  }

  const SoakOptions options_;
  const SoakKeys keys_;
  std::unordered_map<std::string, size_t> numbers_;
  FaultLog faults_;
  std::unique_ptr<SoakSubject> subject_;
  uint64_t operations_ = 0;
  uint64_t evictions_ = 0;  // of the stores before this one
};

}  // namespace
}  // namespace ferrite

int main(int argc, char** argv) {
  ferrite::SoakOptions options;
  CLI::App app("Works on a store for a while and checks every answer");
  app.add_option("--seconds", options.seconds, "How long")->capture_default_str();
  app.add_option("--threads", options.threads, "How many work at a time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--max-memory", options.max_memory_bytes, "The store's limit, in bytes")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Other seeds, other operations")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return ferrite::Soak(options).Run() ? EXIT_SUCCESS : EXIT_FAILURE;
}
