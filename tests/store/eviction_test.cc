#include <atomic>
#include <chrono>
#include <future>
#include <random>
#include <thread>

#include "store/memory/memory_budget.h"
#include "store/room_reservation.h"
#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

constexpr size_t kStoreLimit = 16 << 20;

class EvictionTest : public StoreTest {
 protected:
  EvictionTest() : StoreTest({.shards = 4, .max_memory_bytes = kStoreLimit}) {}
};

class NoEvictionTest : public StoreTest {
 protected:
  NoEvictionTest() : StoreTest({.shards = 4, .max_memory_bytes = kStoreLimit, .evict = false}) {}
};

TEST_F(EvictionTest, MemoryStaysWithinItsLimit) {
  std::mt19937 random(1);
  for (int i = 0; i < 300'000; ++i) {
    const size_t size = i % 50 == 0 ? random() % 100'000 : random() % 900;
    ASSERT_TRUE(Set("k" + std::to_string(i), std::string(size, 'v')));
    ASSERT_LE(store_->memory_bytes(), kStoreLimit * 105 / 100) << i;
  }
  const StoreStats stats = store_->Stats();
  EXPECT_EQ(stats.memory_bytes(), store_->memory_bytes());
  EXPECT_GT(stats.evictions, 100'000u);
  EXPECT_GT(stats.entries, 1000u);
}

TEST_F(EvictionTest, TheLatestWriteIsThere) {
  for (int i = 0; i < 300'000; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(Set(key, std::string(100, 'v')));
    ASSERT_TRUE(store_->Exists(key));
  }
}

TEST_F(EvictionTest, EntriesOfAnotherSizeTakeOverTheMemory) {
  for (const size_t size : {20, 900, 100, 50'000, 300, 8}) {
    for (size_t written = 0; written < 3 * kStoreLimit; written += size + 100) {
      const std::string key = "k" + std::to_string(size) + "-" + std::to_string(written);
      ASSERT_TRUE(Set(key, std::string(size, 'v')));
      Get(key);  // what is never used again passes through and displaces nothing
    }
    ASSERT_LE(store_->Stats().memory_bytes(), kStoreLimit * 105 / 100);
    // Most of what is there now is of this size.
    const size_t of_size = ScanAll("k" + std::to_string(size) + "-", 1000).size();
    EXPECT_GT(of_size * (size + 100), kStoreLimit / 3) << size;
  }
}

// What a write evicts is bounded by what it takes: as many of the smallest entries (64 B) as fit
// into that, and some more where the memory is above its limit.
// A refused write that evicted first lost entries for nothing, at times the very one that refused
// it.
TEST_F(EvictionTest, ASetWhoseConditionDoesNotHoldEvictsNobody) {
  for (int i = 0; i < 200'000; ++i) Set("k" + std::to_string(i), "v");
  Set("there", "v");
  const std::string large(1 << 20, 'v');
  const SetOptions if_absent{.presence = Presence::kAbsent};
  const SetOptions if_present{.presence = Presence::kPresent};
  const SetOptions if_version{.if_version = 7};
  const uint64_t before = store_->Stats().evictions;
  for (const size_t size : {large.size(), size_t{40'000}, size_t{2000}, size_t{10}}) {
    const std::string_view value = std::string_view(large).substr(0, size);
    EXPECT_EQ(store_->Set("there", value, if_absent).outcome, SetOutcome::kConditionFailed);
    EXPECT_EQ(store_->Set("gone", value, if_present).outcome, SetOutcome::kConditionFailed);
    EXPECT_EQ(store_->Set("there", value, if_version).outcome, SetOutcome::kConditionFailed);
  }
  EXPECT_EQ(store_->Stats().evictions, before);
}

TEST_F(EvictionTest, AFullStoreThatDoesNotEvictStillTellsThatAConditionDoesNotHold) {
  Store full({.max_memory_bytes = kStoreLimit, .evict = false, .clock = &clock_});
  for (int i = 0; full.Set("k" + std::to_string(i), "v").outcome == SetOutcome::kStored; ++i) {
  }
  const std::string large(100'000, 'v');
  EXPECT_EQ(full.Set("k0", large, {.presence = Presence::kAbsent}).outcome,
            SetOutcome::kConditionFailed);
  EXPECT_EQ(full.Set("gone", large, {.presence = Presence::kPresent}).outcome,
            SetOutcome::kConditionFailed);
  EXPECT_EQ(full.Set("k0", large, {.if_version = 7}).outcome, SetOutcome::kConditionFailed);
}

// The old block makes room for the new one, also where a block of this size needs a new span.
TEST_F(EvictionTest, OverwritingALargeValueEvictsNobodyElse) {
  const std::string bytes(1 << 20, 'v');
  for (const size_t size : {size_t{2000}, size_t{9000}, size_t{20'000}, size_t{1} << 20}) {
    const std::string key = "large" + std::to_string(size);
    for (int i = 0; i < 200'000; ++i) Set("k" + std::to_string(i), "v");
    ASSERT_NO_FATAL_FAILURE(SetWithoutExcess(key, bytes.substr(0, size)));
    const uint64_t before = store_->Stats().evictions;
    for (const size_t now : {size, size, size, size - size / 3}) {
      ASSERT_TRUE(Set(key, bytes.substr(0, now)));
      ASSERT_TRUE(Set(key, bytes.substr(0, now), {.expiry = Expiry::After(1000)}));
      ASSERT_TRUE(Set(key, bytes.substr(0, now), {.presence = Presence::kPresent}));
      const std::string value = bytes.substr(0, now);
      const std::vector<SetItem> items = {{key, value, {}}, {key, value, {}}};
      std::vector<SetResult> results(2);
      store_->MSet(items, results);
      EXPECT_EQ(results[1].outcome, SetOutcome::kStored);
    }
    EXPECT_EQ(store_->Stats().evictions, before) << size;
  }
}

TEST_F(EvictionTest, AValueThatGrowsEvictsForTheDifference) {
  constexpr size_t kSize = size_t{2} << 20;
  constexpr size_t kMore = size_t{64} << 10;
  for (int i = 0; i < 300'000; ++i) Set("k" + std::to_string(i), "v");
  ASSERT_NO_FATAL_FAILURE(SetWithoutExcess("large", std::string(kSize, 'v')));
  const uint64_t before = store_->Stats().evictions;
  ASSERT_TRUE(Set("large", std::string(kSize + kMore, 'v')));
  EXPECT_LE(store_->Stats().evictions - before, 4 * kMore / 64);  // not for 2 MiB
}

TEST_F(EvictionTest, AnIncrThatFailsEvictsNobody) {
  for (int i = 0; i < 200'000; ++i) Set("k" + std::to_string(i), "v");
  Set("text", "v");
  Set("n", "7");
  ASSERT_TRUE(store_->Exists("n") && store_->Exists("text"));
  store_->SetMaxMemoryBytes(kStoreLimit / 2);  // so that there is an excess to take back
  const uint64_t before = store_->Stats().evictions;
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(store_->Incr("text", {}).outcome, IncrOutcome::kNotACounter);
    EXPECT_EQ(store_->Incr("n", {.max = 7}).outcome, IncrOutcome::kOutOfRange);
    EXPECT_EQ(store_->Incr("gone", {.delta = -1, .min = 0}).outcome, IncrOutcome::kOutOfRange);
  }
  EXPECT_EQ(store_->Stats().evictions, before);
}

TEST_F(EvictionTest, NoWriteEvictsForAllOthers) {
  constexpr size_t kSmallestEntry = 64;
  for (const size_t large : {100'000, 1000}) {
    for (int i = 0; i < 200'000; ++i) Set("k" + std::to_string(i), "v");
    uint64_t evictions = store_->Stats().evictions, most = 0;
    for (size_t i = 0; i < kStoreLimit / 100'000; ++i) {
      ASSERT_TRUE(Set("large" + std::to_string(i), std::string(large, 'v')));
      const StoreStats stats = store_->Stats();
      most = std::max(most, stats.evictions - evictions);
      ASSERT_LE(stats.memory_bytes(), kStoreLimit * 105 / 100);
      evictions = stats.evictions;
    }
    EXPECT_LE(most, large / kSmallestEntry + 1200) << large;
  }
}

TEST_F(EvictionTest, TheSweepTakesBackWhatIsAboveTheLimit) {
  const auto excess = [&] {
    const StoreStats stats = store_->Stats();
    const size_t allowance = kStoreLimit / MemoryBudget::kUnusedShare;
    const size_t used = stats.memory_bytes() - std::min(stats.unused_block_bytes, allowance);
    return used > kStoreLimit ? used - kStoreLimit : 0;
  };
  for (int i = 0; i < 200'000; ++i) Set("k" + std::to_string(i), "v");
  size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    Set("large" + std::to_string(i), std::string(100'000, 'v'));
    most = std::max(most, excess());
    for (int round = 0; round < 3; ++round) {
      while (!store_->Sweep()) {
      }
    }
    ASSERT_EQ(excess(), 0u);
  }
  EXPECT_GT(most, 0u);
}

TEST_F(EvictionTest, ValuesThatOutgrowTheirSlotsAreBounded) {
  for (int i = 0; i < 60'000; ++i) Set("k" + std::to_string(i), "v");
  for (int i = 0; i < 60'000; ++i) {
    Set("k" + std::to_string(i), std::string(800, 'v'));
    ASSERT_LE(store_->Stats().memory_bytes(), kStoreLimit * 105 / 100);
  }
}

TEST_F(EvictionTest, AScanOfColdKeysLeavesHotOnesAlone) {
  for (int i = 0; i < 5000; ++i) Set("hot" + std::to_string(i), std::string(100, 'v'));
  for (int cold = 0; cold < 400'000; ++cold) {
    Set("cold" + std::to_string(cold), std::string(100, 'v'));
    Get("hot" + std::to_string(cold % 5000));
  }
  size_t survivors = 0;
  for (int i = 0; i < 5000; ++i) survivors += store_->Exists("hot" + std::to_string(i));
  EXPECT_GT(survivors, 4500u);  // a queue in order of writing would keep none
}

TEST_F(EvictionTest, AValueAboveTheLimitIsRefusedAndEvictsNothing) {
  Set("k", "v");
  EXPECT_EQ(store_->Set("big", std::string(kStoreLimit + 1, 'v')).outcome, SetOutcome::kMemoryFull);
  EXPECT_EQ(Get("k"), "v");
}

// Remembers the first victim, and holds up deletions, each with its key locked.
class DeletionsHeldUp final : public EventListener {
 public:
  void OnEvent(const StoreEvent& event) override {
    if (event.kind == EventKind::kEvict && first_victim.empty()) first_victim = event.key;
    if (event.kind != EventKind::kDelete) return;
    waiting = true;
    go_on.get_future().wait();
  }

  std::string first_victim;
  std::atomic<bool> waiting = false;
  std::promise<void> go_on;
};

TEST(EvictionRaceTest, AVictimThatIsDeletedMeanwhileCostsNoOthers) {
  const StoreOptions options = {.shards = 1, .max_memory_bytes = 4 << 20};
  const auto set = [](Store& store, int number) {
    store.Set("k" + std::to_string(number), std::string(100, 'v'));
  };
  // Which write is the first to evict, and whom.
  int count = 0;
  DeletionsHeldUp listener;
  {
    Store store(options);
    store.Listen(&listener);
    for (; listener.first_victim.empty(); ++count) set(store, count);
  }
  Store store(options);
  store.Listen(&listener);
  for (int i = 0; i < count - 1; ++i) set(store, i);
  ASSERT_EQ(store.Stats().evictions, 0u);

  std::thread deletes([&] { EXPECT_TRUE(store.Delete(listener.first_victim).deleted); });
  while (!listener.waiting) std::this_thread::yield();
  std::future<void> write = std::async(std::launch::async, [&] { set(store, count - 1); });
  EXPECT_EQ(write.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout)
      << "the write was to choose the same victim, and wait for its lock";
  listener.go_on.set_value();
  write.wait();
  deletes.join();
  EXPECT_EQ(store.Stats().evictions, 0u) << "the deletion had freed a slot";
  EXPECT_EQ(store.Stats().entries, static_cast<uint64_t>(count) - 1);
}

TEST(ShardCountTest, NoShardIsSoLargeThatHintsCannotNameItsEntries) {
  EXPECT_EQ(Store({.shards = 1, .max_memory_bytes = size_t{4} << 30}).shard_count(), 1u);
  EXPECT_EQ(Store({.shards = 1, .max_memory_bytes = size_t{100} << 30}).shard_count(), 32u);
  EXPECT_EQ(Store({.shards = 64, .max_memory_bytes = size_t{100} << 30}).shard_count(), 64u);
  EXPECT_GE(Store({.max_memory_bytes = size_t{1} << 40}).shard_count(), 256u);
}

TEST_F(NoEvictionTest, AFullStoreStillReplacesLargeValues) {
  const std::string value(100'000, 'v'), other(100'000, 'w');
  int count = 0;
  while (Set("k" + std::to_string(count), value)) ++count;
  ASSERT_GT(count, 100);
  for (int i = 0; i < count; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(Set(key, other));
    RoomReservation room(&*store_, key, value);
    ASSERT_EQ(room.Step(), RoomReservation::Progress::kReady);
    ASSERT_TRUE(Get(key) == other);  // until the new one takes its place
    ASSERT_EQ(store_->Set(key, &room).outcome, SetOutcome::kStored);
    ASSERT_TRUE(Get(key) == value);
  }
  // What does not fit leaves the old value.
  EXPECT_EQ(store_->Set("k0", std::string(900'000, 'x')).outcome, SetOutcome::kMemoryFull);
  EXPECT_TRUE(Get("k0") == value);
  EXPECT_EQ(store_->Stats().reserved_bytes, 0u);
  EXPECT_LE(store_->Stats().memory_bytes(), kStoreLimit * 105 / 100);
}

TEST_F(NoEvictionTest, AFullStoreRefusesAndLosesNothing) {
  // Each shard fills at its own pace: go on until all are full.
  std::vector<std::string> stored;
  for (int i = 0, refused = 0; refused < 2000; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (Set(key, std::string(500, 'v'))) {
      stored.push_back(key);
    } else {
      ++refused;
    }
  }
  EXPECT_GT(stored.size(), 20'000u);
  EXPECT_EQ(store_->Set("another", std::string(500, 'v')).outcome, SetOutcome::kMemoryFull);
  EXPECT_EQ(store_->Set("k1", std::string(900, 'w')).outcome, SetOutcome::kMemoryFull);
  EXPECT_EQ(store_->Set("k1", std::string(90'000, 'w')).outcome, SetOutcome::kMemoryFull);
  EXPECT_EQ(store_->Incr("counter", {}).outcome, IncrOutcome::kMemoryFull);
  EXPECT_FALSE(store_->Exists("another"));
  for (const std::string& key : stored) ASSERT_EQ(Get(key), std::string(500, 'v'));
  EXPECT_LE(store_->Stats().memory_bytes(), kStoreLimit);
  EXPECT_EQ(store_->Stats().evictions, 0u);
  // What fits where it stands may be overwritten, and what is deleted makes room.
  EXPECT_TRUE(Set("k1", std::string(500, 'w')));
  EXPECT_EQ(Get("k1"), std::string(500, 'w'));
  EXPECT_TRUE(Delete("k1"));
  EXPECT_TRUE(Set("k1", std::string(500, 'x')));
}

}  // namespace
}  // namespace ferrite
