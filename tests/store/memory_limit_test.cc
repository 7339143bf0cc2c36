// The memory limit changes while the store works.

#include <atomic>
#include <random>
#include <thread>

#include "store/memory/memory_budget.h"
#include "store/room_reservation.h"
#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

using Progress = RoomReservation::Progress;

constexpr size_t kMemoryLimit = 16 << 20;
constexpr size_t kLower = 4 << 20;

class MemoryLimitTest : public StoreTest {
 protected:
  explicit MemoryLimitTest(StoreOptions options = {.shards = 4, .max_memory_bytes = kMemoryLimit})
      : StoreTest(options) {}

  void Fill(int count, size_t size = 100) {
    for (int i = 0; i < count; ++i) Set("k" + std::to_string(i), std::string(size, 'v'));
  }
  // What counts against the limit and is above it.
  size_t Excess() const {
    const StoreStats stats = store_->Stats();
    const size_t allowance = stats.limit_bytes / MemoryBudget::kUnusedShare;
    const size_t used = stats.memory_bytes() - std::min(stats.unused_block_bytes, allowance);
    return used > stats.limit_bytes ? used - stats.limit_bytes : 0;
  }
};

class MemoryLimitWithoutEvictionTest : public MemoryLimitTest {
 protected:
  MemoryLimitWithoutEvictionTest()
      : MemoryLimitTest({.shards = 4, .max_memory_bytes = kMemoryLimit, .evict = false}) {}
};

class NoMemoryLimitTest : public MemoryLimitTest {
 protected:
  NoMemoryLimitTest() : MemoryLimitTest({.shards = 4}) {}
};

TEST_F(MemoryLimitTest, AHigherLimitIsUsedAtOnce) {
  store_->SetMaxMemoryBytes(kLower);
  Fill(100'000);
  const uint64_t evictions = store_->Stats().evictions;
  ASSERT_GT(evictions, 0u);
  store_->SetMaxMemoryBytes(4 * kMemoryLimit);
  EXPECT_EQ(store_->Stats().limit_bytes, 4 * kMemoryLimit);
  for (int i = 0; i < 100'000; ++i) Set("new" + std::to_string(i), std::string(100, 'v'));
  EXPECT_EQ(store_->Stats().evictions, evictions);
  EXPECT_GT(store_->memory_bytes(), kMemoryLimit);
}

TEST_F(MemoryLimitTest, NoLimitIsALimitToo) {
  store_->SetMaxMemoryBytes(0);
  Fill(200'000);
  EXPECT_EQ(store_->Stats().limit_bytes, 0u);
  EXPECT_EQ(store_->Stats().evictions, 0u);
  EXPECT_FALSE(store_->HasExcess());
}

TEST_F(MemoryLimitTest, TheSweepGoesDownToALowerLimitInSteps) {
  constexpr uint64_t kMostOfAStep = 2000;
  for (const size_t size : {100, 3000, 60'000}) {
    store_->SetMaxMemoryBytes(kMemoryLimit);
    Fill(static_cast<int>(2 * kMemoryLimit / size), size);
    store_->SetMaxMemoryBytes(kLower);
    EXPECT_TRUE(store_->HasExcess()) << size;
    uint64_t evictions = store_->Stats().evictions;
    for (int step = 0; store_->HasExcess(); ++step) {
      ASSERT_LT(step, 10'000) << size;
      store_->Sweep();
      const uint64_t now = store_->Stats().evictions;
      ASSERT_LE(now - evictions, kMostOfAStep);
      evictions = now;
    }
    EXPECT_EQ(Excess(), 0u) << size;
    EXPECT_GT(store_->Stats().memory_bytes(), kLower / 2) << size;  // and no more than that
    EXPECT_TRUE(Set("k0", "still works"));
    EXPECT_EQ(Get("k0"), "still works");
  }
}

TEST_F(MemoryLimitTest, WritesGoDownToALowerLimitAndNoneForAllOthers) {
  Fill(100'000);
  store_->SetMaxMemoryBytes(kLower);
  ASSERT_GT(Excess(), 0u);
  uint64_t evictions = store_->Stats().evictions, most = 0;
  int writes = 0;
  for (; Excess() > 0; ++writes) {
    ASSERT_LT(writes, 100'000);
    ASSERT_TRUE(Set("new" + std::to_string(writes), "v"));
    const uint64_t now = store_->Stats().evictions;
    most = std::max(most, now - evictions);
    evictions = now;
  }
  EXPECT_GT(writes, 10);
  EXPECT_LE(most, 1200u);
}

// Each of its writes might take a step.
TEST_F(MemoryLimitTest, ABatchDoesNotGoAllTheWayAtOnce) {
  constexpr size_t kBatch = 1024;
  Fill(100'000);
  store_->SetMaxMemoryBytes(kLower);
  const uint64_t before = store_->Stats().evictions;
  std::vector<std::string> keys;
  for (size_t i = 0; i < kBatch; ++i) keys.push_back("new" + std::to_string(i));
  std::vector<SetItem> items;
  for (const std::string& key : keys) items.push_back({key, "v", {}});
  std::vector<SetResult> results(kBatch);
  store_->MSet(items, results);
  for (const SetResult& result : results) EXPECT_EQ(result.outcome, SetOutcome::kStored);
  // One in 64 takes a step of some 200, and a few need a page, for which they evict 512.
  EXPECT_LE(store_->Stats().evictions - before, 10 * kBatch);
  EXPECT_GT(Excess(), 0u);
}

TEST_F(MemoryLimitTest, ALimitBelowWhatTablesTakeEndsNoCall) {
  Fill(100'000);
  store_->SetMaxMemoryBytes(1);
  while (store_->HasExcess()) store_->Sweep();
  EXPECT_EQ(store_->Stats().entries, 0u);
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "k" + std::to_string(i);
    Set(key, std::string(i % 3 == 0 ? 5000 : 10, 'v'));
    Get(key);
    store_->Incr("n", {});
  }
  store_->SetMaxMemoryBytes(kMemoryLimit);
  Fill(10'000);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(store_->Exists("k" + std::to_string(i)));
}

TEST_F(MemoryLimitWithoutEvictionTest, WritesAreRefusedUntilThereIsRoom) {
  Fill(50'000);
  const uint64_t entries = store_->Stats().entries;
  ASSERT_EQ(entries, 50'000u);
  store_->Incr("counter", {});
  store_->SetMaxMemoryBytes(kLower);
  EXPECT_FALSE(store_->HasExcess());  // nothing may be evicted
  SweepAll();
  for (const size_t size : {1, 100, 2000, 50'000}) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = "new" + std::to_string(size) + "-" + std::to_string(i);
      ASSERT_EQ(store_->Set(key, std::string(size, 'v')).outcome, SetOutcome::kMemoryFull);
      ASSERT_FALSE(store_->Exists(key));
    }
  }
  EXPECT_EQ(store_->Incr("new", {}).outcome, IncrOutcome::kMemoryFull);
  EXPECT_EQ(store_->Incr("counter", {}).value, 2);  // takes no memory
  EXPECT_TRUE(Set("k1", std::string(100, 'w')));    // nor does this
  EXPECT_EQ(store_->Stats().entries, entries + 1);
  for (int i = 0; Excess() > 0; ++i) ASSERT_TRUE(Delete("k" + std::to_string(i)));
  EXPECT_TRUE(Set("k0", std::string(100, 'v')));
  EXPECT_EQ(store_->Stats().evictions, 0u);
}

TEST_F(MemoryLimitWithoutEvictionTest, AHigherLimitMakesRoomAtOnce) {
  int full = 0;
  while (Set("k" + std::to_string(full), std::string(1000, 'v'))) ++full;
  store_->SetMaxMemoryBytes(2 * kMemoryLimit);
  for (int i = 0; i < full / 2; ++i) {
    ASSERT_TRUE(Set("new" + std::to_string(i), std::string(1000, 'v')));
  }
}

// Uses count from then on: of entries of the same age, those stay that are read.
TEST_F(NoMemoryLimitTest, AStoreThatGetsALimitKeepsWhatIsUsed) {
  constexpr int kKeys = 2000;
  const auto survivors = [&](const std::string& kind) {
    int count = 0;
    for (int i = 0; i < kKeys; ++i) count += store_->Exists(kind + std::to_string(i));
    return count;
  };
  Fill(20'000);
  for (int i = 0; i < kKeys; ++i) {
    Set("idle" + std::to_string(i), std::string(100, 'v'));
    Set("used" + std::to_string(i), std::string(100, 'v'));
  }
  store_->SetMaxMemoryBytes(kLower);
  for (int i = 0; i < 100'000; ++i) {
    Set("cold" + std::to_string(i), std::string(100, 'v'));
    Get("used" + std::to_string(i % kKeys));
  }
  EXPECT_EQ(Excess(), 0u);
  EXPECT_GT(survivors("used"), 3 * survivors("idle") / 2 + kKeys / 10);
}

TEST_F(MemoryLimitTest, RoomThatIsBeingMadeFollowsTheLimit) {
  Fill(100'000);
  {
    RoomReservation room(&*store_, kMemoryLimit / 2);
    ASSERT_EQ(room.Step(), Progress::kMore);
    const uint64_t evictions = store_->Stats().evictions;
    store_->SetMaxMemoryBytes(0);
    EXPECT_EQ(room.Step(), Progress::kReady);
    EXPECT_EQ(store_->Stats().evictions, evictions);
  }
  store_->SetMaxMemoryBytes(kMemoryLimit);
  RoomReservation room(&*store_, kMemoryLimit / 2);
  ASSERT_EQ(room.Step(), Progress::kMore);
  store_->SetMaxMemoryBytes(kLower);
  EXPECT_EQ(room.Step(), Progress::kFull);
  EXPECT_EQ(store_->Stats().reserved_bytes, 0u);
}

TEST_F(MemoryLimitTest, ChangesOfManyThreadsLeaveOneOfTheirLimits) {
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) store_->SetMaxMemoryBytes(t == 0 ? 0 : t * kMemoryLimit);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->Stats().limit_bytes % kMemoryLimit, 0u);
  EXPECT_LE(store_->Stats().limit_bytes, 3 * kMemoryLimit);
}

}  // namespace
}  // namespace ferrite
