// Scan's promise while the store grows, shrinks, evicts and sweeps under it: a key that lives from
// the first call to the last is given exactly once.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"

namespace ferrite {
namespace {

constexpr size_t kScanLimit = size_t{8} << 20;
constexpr int kStableKeys = 2000;
constexpr int kScans = 12;  // at least
constexpr uint64_t kEvictions = 1000;

class ScanConcurrencyTest : public testing::TestWithParam<size_t> {
 protected:
  ScanConcurrencyTest() : store_({.shards = 2, .max_memory_bytes = GetParam()}) {}
  ~ScanConcurrencyTest() override {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  std::string Passing(std::mt19937& random) const {
    return "passing" + std::to_string(random() % passing_keys_);
  }
  static std::string Stable(int i) { return "stable" + std::to_string(i); }

  // Runs `step` with its own randomness, over and over, beside the test.
  template <typename Step>
  void Beside(Step step) {
    threads_.emplace_back([this, step, seed = threads_.size()]() mutable {
      std::mt19937 random(static_cast<uint32_t>(seed));
      while (!stop_) step(random);
    });
  }

  // The stable keys that are there, with their versions. An entry that was evicted and written
  // again has another.
  std::map<std::string, uint64_t> StableVersions() {
    std::map<std::string, uint64_t> versions;
    ReadResult result;
    for (int i = 0; i < kStableKeys; ++i) {
      store_.Peek(Stable(i), false, &result);
      if (result.found) versions[Stable(i)] = result.version;
    }
    return versions;
  }

  std::map<std::string, int> ScanStable(size_t step) {
    std::map<std::string, int> seen;
    std::vector<ScannedKey> keys;
    ScanCursor cursor;
    for (bool more = true; more;) {
      keys.clear();
      more = store_.Scan("stable", step, &cursor, &keys);
      for (const ScannedKey& each : keys) ++seen[each.key];
    }
    return seen;
  }

  Store store_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint32_t> passing_keys_ = 1000;
  std::vector<std::thread> threads_;
};

TEST_P(ScanConcurrencyTest, GivesOnceWhatLivesThroughout) {
  for (int i = 0; i < kStableKeys; ++i) {
    store_.Set(Stable(i), std::string(static_cast<size_t>(i % 700), 's'));
  }
  // Keys that come, change their size, expire and go. Their number grows, so that hash tables do.
  Beside([this](std::mt19937& random) {
    if (passing_keys_ < 200'000) ++passing_keys_;
    const std::string value(random() % 50 == 0 ? random() % 30'000 : random() % 600, 'p');
    const Expiry expiry = random() % 4 == 0 ? Expiry::After(1 + random() % 3) : Expiry::Never();
    store_.Set(Passing(random), value, {.expiry = expiry});
  });
  Beside([this](std::mt19937& random) { store_.Delete(Passing(random)); });
  Beside([this](std::mt19937&) { store_.Sweep(); });
  // Readers keep some of the stable keys alive.
  Beside([this](std::mt19937& random) {
    ReadResult result;
    store_.Get(Stable(static_cast<int>(random() % (kStableKeys / 2))), {}, &result);
  });

  size_t lived_through = 0;
  const auto evicted_enough = [this] {
    return GetParam() == 0 || store_.Stats().evictions >= kEvictions;
  };
  int scans = 0;
  for (; scans < kScans || !evicted_enough(); ++scans) {
    const auto before = StableVersions();
    const auto seen = ScanStable(scans % 2 == 0 ? 5 : 100);
    const auto after = StableVersions();
    for (const auto& [key, version] : before) {
      const auto still = after.find(key);
      if (still == after.end() || still->second != version) continue;
      ++lived_through;
      const auto met = seen.find(key);
      ASSERT_NE(met, seen.end()) << key;
      ASSERT_EQ(met->second, 1) << key;
    }
    // What was evicted comes back for the next scan.
    for (int i = 0; i < kStableKeys; ++i) {
      store_.Set(Stable(i), std::string(static_cast<size_t>((i + scans) % 700), 's'),
                 {.presence = Presence::kAbsent});
    }
  }
  EXPECT_GT(lived_through, 0u);
  if (GetParam() == 0) {
    EXPECT_EQ(lived_through, static_cast<size_t>(scans * kStableKeys));
  }
}

INSTANTIATE_TEST_SUITE_P(Limits, ScanConcurrencyTest, testing::Values(0, kScanLimit));

}  // namespace
}  // namespace ferrite
