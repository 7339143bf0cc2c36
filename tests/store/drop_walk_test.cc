#include "store/drop_walk.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

bool IsOdd(std::string_view key) { return key.back() % 2 == 1; }

struct CountingListener final : EventListener {
  void OnEvent(const StoreEvent&) override { ++events; }
  std::atomic<int> events = 0;
};

class DropWalkTest : public StoreTest {
 protected:
  void Fill(int entries, size_t value_bytes) {
    for (int i = 0; i < entries; ++i) Set("k" + std::to_string(i), std::string(value_bytes, 'v'));
  }
  uint64_t Drop(std::function<bool(std::string_view)> chosen) {
    DropWalk walk(&*store_, std::move(chosen));
    while (walk.Step()) {
    }
    return walk.dropped();
  }
};

TEST_F(DropWalkTest, TakesOutTheChosenEntriesAndNoOthers) {
  constexpr int kEntries = 10'000;
  Fill(kEntries, 64);
  EXPECT_EQ(Drop(IsOdd), uint64_t{kEntries / 2});
  for (int i = 0; i < kEntries; ++i)
    ASSERT_EQ(store_->Exists("k" + std::to_string(i)), i % 2 == 0) << i;
  EXPECT_EQ(store_->Stats().entries, uint64_t{kEntries / 2});
  EXPECT_EQ(Drop(IsOdd), 0u);
}

TEST_F(DropWalkTest, GivesBackTheMemoryAlsoOfLargeValues) {
  Fill(100, 100'000);
  Fill(1000, 10);
  EXPECT_EQ(Drop([](std::string_view) { return true; }), 1000u);
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
  EXPECT_EQ(store_->Stats().block_bytes, 0u);
}

TEST_F(DropWalkTest, EachStepIsBoundedAlsoWhereNothingIsChosen) {
  constexpr uint64_t kMostLookedAt = 16 * 256;
  Fill(100'000, 8);
  uint64_t looked_at = 0;
  DropWalk walk(&*store_, [&](std::string_view) {
    ++looked_at;
    return false;
  });
  int steps = 0;
  for (bool more = true; more; ++steps) {
    const uint64_t before = looked_at;
    more = walk.Step();
    ASSERT_LE(looked_at - before, kMostLookedAt);
  }
  EXPECT_EQ(looked_at, 100'000u);
  EXPECT_GT(steps, 20);
  EXPECT_EQ(walk.dropped(), 0u);
}

TEST_F(DropWalkTest, LongKeysAreFewerAStep) {
  for (int i = 0; i < 200; ++i) Set(std::string(4000, 'k') + std::to_string(i), "v");
  uint64_t bytes = 0;
  DropWalk walk(&*store_, [&](std::string_view key) {
    bytes += key.size();
    return false;
  });
  for (bool more = true; more;) {
    const uint64_t before = bytes;
    more = walk.Step();
    ASSERT_LE(bytes - before, 16u * (20 << 10));
  }
}

TEST_F(DropWalkTest, NobodyIsToldOfIt) {
  Fill(10, 10);
  CountingListener listener;
  store_->Listen(&listener);
  EXPECT_EQ(Drop(IsOdd), 5u);
  EXPECT_EQ(listener.events, 0);
  store_->Listen(nullptr);
}

TEST_F(DropWalkTest, VersionsGoOnAboveWhatWasDropped) {
  Set("k1", "a");
  const uint64_t version = Version("k1");
  clock_.SetUnixMs(5);
  EXPECT_EQ(Drop(IsOdd), 1u);
  Set("k1", "b");
  EXPECT_GT(Version("k1"), version);
}

TEST_F(DropWalkTest, TheOthersAreReadAndWrittenMeanwhile) {
  constexpr int kEntries = 20'000;
  Fill(kEntries, 64);
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; i += 2) {
      const std::string key = "k" + std::to_string(i % kEntries);
      ASSERT_EQ(store_->Set(key, "w").outcome, SetOutcome::kStored);
      ASSERT_EQ(Get(key), "w");
    }
  });
  EXPECT_EQ(Drop(IsOdd), uint64_t{kEntries / 2});
  stop = true;
  writer.join();
  EXPECT_EQ(store_->Stats().entries, uint64_t{kEntries / 2});
}

}  // namespace
}  // namespace ferrite
