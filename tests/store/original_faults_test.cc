// The faults of the original Ferrite that ours must not repeat, as far as the store can have them:
// one test each.

#include <thread>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

constexpr int kThreads = 8;

class OriginalFaultsTest : public StoreTest {
 protected:
  template <typename Work>
  static void InThreads(Work work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
    for (std::thread& thread : threads) thread.join();
  }
};

TEST_F(OriginalFaultsTest, IncrLosesNoUpdate) {
  InThreads([this](int) {
    for (int i = 0; i < 20'000; ++i) store_->Incr("n", {});
  });
  EXPECT_EQ(Get("n"), std::to_string(kThreads * 20'000));
}

TEST_F(OriginalFaultsTest, OneOfManySetsIfAbsentWins) {
  for (int round = 0; round < 500; ++round) {
    std::atomic<int> winners = 0;
    const std::string key = "k" + std::to_string(round);
    InThreads(
        [&](int i) { winners += Set(key, std::to_string(i), {.presence = Presence::kAbsent}); });
    ASSERT_EQ(winners, 1);
  }
}

TEST_F(OriginalFaultsTest, OneOfManyComparesAndSetsWins) {
  Set("k", "0");
  std::atomic<int> successes = 0;
  InThreads([&](int) {
    for (int i = 0; i < 5000; ++i) {
      const ReadResult seen = Read("k");
      const int next = std::stoi(std::string(seen.value.view())) + 1;
      successes += Set("k", std::to_string(next), {.if_version = seen.version});
    }
  });
  EXPECT_EQ(Get("k"), std::to_string(successes));
}

TEST_F(OriginalFaultsTest, IncrKeepsTheTimeToLive) {
  Set("n", "1", {.expiry = Expiry::After(100)});
  store_->Incr("n", {});
  EXPECT_EQ(Ttl("n"), 100);
}

TEST_F(OriginalFaultsTest, WhatExpiredIsReclaimedThoughNobodyAsksForIt) {
  for (int i = 0; i < 1000; ++i) Set("k" + std::to_string(i), "v", {.expiry = Expiry::After(10)});
  clock_.Advance(10);
  SweepAll();
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
}

TEST_F(OriginalFaultsTest, RemovingWhatExpiredSparesAFreshWrite) {
  // A writer renews keys in the very moment in which they expire, while the sweep removes what it
  // saw expired.
  std::atomic<bool> stop = false;
  std::thread sweeper([&] {
    while (!stop) store_->Sweep();
  });
  for (int round = 0; round < 3000; ++round) {
    for (int i = 0; i < 20; ++i) Set("k" + std::to_string(i), "old", {.expiry = Expiry::After(1)});
    clock_.Advance(1);
    for (int i = 0; i < 20; ++i) Set("k" + std::to_string(i), "new");
    for (int i = 0; i < 20; ++i) ASSERT_EQ(Get("k" + std::to_string(i)), "new");
  }
  stop = true;
  sweeper.join();
}

TEST_F(OriginalFaultsTest, TheMemoryLimitIsEnforced) {
  constexpr size_t kLimit = 16 << 20;
  store_.emplace(StoreOptions{.shards = 4, .max_memory_bytes = kLimit, .clock = &clock_});
  for (int i = 0; i < 100'000; ++i) Set("k" + std::to_string(i), std::string(1000, 'v'));
  EXPECT_LE(store_->Stats().memory_bytes(), kLimit * 105 / 100);
}

TEST_F(OriginalFaultsTest, ReadingALargeValueCopiesNothing) {
  Set("k", std::string(1 << 20, 'v'));
  const ReadResult first = Read("k");
  const ReadResult second = Read("k");
  EXPECT_EQ(first.value.view().data(), second.value.view().data());
}

}  // namespace
}  // namespace ferrite
