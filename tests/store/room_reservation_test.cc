#include "store/room_reservation.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

using Progress = RoomReservation::Progress;

constexpr size_t kReservationLimit = 32 << 20;
constexpr size_t kLarge = 8 << 20;
// What one step may evict (room_reservation.h).
constexpr uint64_t kMostEvicted = 320;

class RoomReservationTest : public StoreTest {
 protected:
  explicit RoomReservationTest(StoreOptions options = {.shards = 4,
                                                       .max_memory_bytes = kReservationLimit})
      : StoreTest(options) {}

  void FillWithSmallEntries() {
    for (int i = 0; i < 600'000; ++i) Set("k" + std::to_string(i), "v");
    store_->Sweep();
  }
  uint64_t evictions() const { return store_->Stats().evictions; }
  size_t reserved() const { return store_->Stats().reserved_bytes; }
  // Takes all steps. Returns the most that one evicted.
  uint64_t StepToTheEnd(RoomReservation* room, Progress end = Progress::kReady) {
    uint64_t most = 0, before = evictions();
    for (Progress progress = Progress::kMore; progress == Progress::kMore;) {
      progress = room->Step();
      const uint64_t now = evictions();
      most = std::max(most, now - before);
      before = now;
      if (progress != Progress::kMore) {
        EXPECT_EQ(progress, end);
      }
    }
    return most;
  }
};

TEST_F(RoomReservationTest, NoStepEvictsManyAndTheWriteEvictsNoMore) {
  FillWithSmallEntries();
  const std::string value(kLarge, 'v');
  RoomReservation room(&*store_, value);
  EXPECT_LE(StepToTheEnd(&room), kMostEvicted);
  EXPECT_EQ(reserved(), ValueBlock::MemoryBytes(kLarge));
  const uint64_t before = evictions();
  ASSERT_EQ(store_->Set("large", &room).outcome, SetOutcome::kStored);
  EXPECT_LE(evictions() - before, 512u);
  EXPECT_EQ(reserved(), 0u);
  EXPECT_EQ(Get("large"), value);
  EXPECT_LE(store_->Stats().memory_bytes(), kReservationLimit * 102 / 100);
}

// Without a reservation one write does all of it.
TEST_F(RoomReservationTest, AWriteWithoutOneEvictsAsMuchAtOnce) {
  FillWithSmallEntries();
  const uint64_t before = evictions();
  ASSERT_TRUE(Set("large", std::string(kLarge, 'v')));
  EXPECT_GT(evictions() - before, 20'000u);
}

TEST_F(RoomReservationTest, WhatItFreedIsNotForOthers) {
  FillWithSmallEntries();
  RoomReservation room(&*store_, kLarge);
  StepToTheEnd(&room);
  for (int i = 0; i < 200'000; ++i) Set("other" + std::to_string(i), "v");
  EXPECT_EQ(reserved(), kLarge);
  const StoreStats stats = store_->Stats();
  EXPECT_LE(stats.memory_bytes() + stats.reserved_bytes, kReservationLimit * 102 / 100);
  const uint64_t before = evictions();
  room.GiveBack();
  ASSERT_TRUE(Set("large", std::string(kLarge, 'v')));
  EXPECT_LE(evictions() - before, 2000u);
}

TEST_F(RoomReservationTest, WhatIsReplacedMakesRoom) {
  constexpr size_t kSize = 1 << 20;
  const std::string value(kSize, 'v'), other(kSize, 'w');
  FillWithSmallEntries();
  ASSERT_NO_FATAL_FAILURE(SetWithoutExcess("large", other));
  const uint64_t before = evictions();
  RoomReservation room(&*store_, "large", value);
  EXPECT_EQ(StepToTheEnd(&room), 0u);
  EXPECT_EQ(reserved(), 0u);
  EXPECT_TRUE(Get("large") == other);
  ASSERT_EQ(store_->Set("large", &room).outcome, SetOutcome::kStored);
  EXPECT_TRUE(Get("large") == value);
  EXPECT_EQ(evictions(), before);
  EXPECT_LE(store_->Stats().memory_bytes(), kReservationLimit * 102 / 100);
}

TEST_F(RoomReservationTest, WhatIsGoneBeforeItIsReplacedMakesNone) {
  FillWithSmallEntries();
  const std::string value(kLarge, 'v');
  ASSERT_TRUE(Set("large", value));
  RoomReservation room(&*store_, "large", value);
  ASSERT_EQ(room.Step(), Progress::kMore);  // its copy has begun
  ASSERT_TRUE(Delete("large"));
  for (int i = 0; i < 200'000; ++i) Set("other" + std::to_string(i), "v");
  EXPECT_LE(StepToTheEnd(&room), kMostEvicted);
  EXPECT_EQ(reserved(), ValueBlock::MemoryBytes(kLarge));
  ASSERT_EQ(store_->Set("large", &room).outcome, SetOutcome::kStored);
  EXPECT_LE(store_->Stats().memory_bytes(), kReservationLimit * 102 / 100);
}

TEST_F(RoomReservationTest, ABatchNeedsWhatItAdds) {
  const std::string value(100'000, 'v');
  const size_t block = ValueBlock::MemoryBytes(value.size());
  const auto needs = [&](std::vector<SetItem> items) {
    return RoomReservation::BytesFor(&*store_, items);
  };
  const SetItem new_one{"a", value, {}}, again{"a", value, {}};
  EXPECT_GE(needs({new_one}), block);
  EXPECT_LT(needs({new_one}), block + 200);
  EXPECT_LT(needs({new_one, again}), block + 200);  // the second replaces the first
  EXPECT_EQ(needs({{"a", value, {.presence = Presence::kPresent}}}), 0u);
  EXPECT_EQ(needs({{"a", value, {.if_version = 7}}}), 0u);
  EXPECT_LT(needs({new_one, {"a", value, {.presence = Presence::kAbsent}}}), block + 200);
  Set("a", value);
  EXPECT_EQ(needs({again}), 0u);
  EXPECT_EQ(needs({{"a", value, {.presence = Presence::kAbsent}}}), 0u);
  EXPECT_EQ(needs({{"a", value, {.if_version = Version("a")}}, {"b", "v", {}}}),
            needs({{"b", "v", {}}}));
  EXPECT_EQ(needs({{"a", "v", {}}, {"b", value, {}}}), needs({{"b", value, {}}}) - block);
}

TEST_F(RoomReservationTest, GivesBackWhatIsNotUsed) {
  FillWithSmallEntries();
  const size_t full = store_->memory_bytes();
  const std::string value(kLarge, 'v');
  for (const bool to_the_end : {true, false}) {
    RoomReservation room(&*store_, value);
    to_the_end ? StepToTheEnd(&room) : 0;
    for (int i = 0; i < 100 && !to_the_end; ++i) room.Step();
    EXPECT_GT(reserved(), 0u);
  }
  EXPECT_EQ(reserved(), 0u);
  EXPECT_LT(store_->memory_bytes(), full);
  // Others may fill it again without evicting.
  const uint64_t before = evictions();
  for (int i = 0; i < 10'000; ++i) Set("other" + std::to_string(i), "v");
  EXPECT_EQ(evictions(), before);
}

TEST_F(RoomReservationTest, AWriteWhoseConditionFailsGivesBackToo) {
  const std::string value(kLarge, 'v');
  {
    RoomReservation room(&*store_, value);
    StepToTheEnd(&room);
    const SetResult result = store_->Set("absent", &room, {.presence = Presence::kPresent});
    EXPECT_EQ(result.outcome, SetOutcome::kConditionFailed);
  }
  EXPECT_EQ(reserved(), 0u);
  EXPECT_EQ(store_->Stats().block_bytes, 0u);
}

TEST_F(RoomReservationTest, IsReadyAtOnceWhereThereIsRoom) {
  RoomReservation room(&*store_, kLarge);
  EXPECT_EQ(room.Step(), Progress::kReady);
  EXPECT_EQ(evictions(), 0u);
}

TEST_F(RoomReservationTest, IsFullForWhatExceedsTheLimit) {
  Set("k", "v");
  const std::string value(kReservationLimit + 1, 'v');
  RoomReservation room(&*store_, value);
  EXPECT_EQ(room.Step(), Progress::kFull);
  EXPECT_EQ(store_->Set("large", &room).outcome, SetOutcome::kMemoryFull);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(reserved(), 0u);
}

TEST_F(RoomReservationTest, TwoThatTogetherExceedTheLimitComeToAnEnd) {
  FillWithSmallEntries();
  RoomReservation first(&*store_, kReservationLimit * 3 / 4),
      second(&*store_, kReservationLimit * 3 / 4);
  Progress progress[] = {Progress::kMore, Progress::kMore};
  while (progress[0] == Progress::kMore || progress[1] == Progress::kMore) {
    progress[0] = first.Step();
    progress[1] = second.Step();
  }
  EXPECT_LE(reserved(), kReservationLimit);
}

TEST_F(RoomReservationTest, EntriesInUseStayWhereOthersSuffice) {
  constexpr int kHot = 20'000;
  for (int i = 0; i < kHot; ++i) Set("hot" + std::to_string(i), "v");
  for (int i = 0; i < 600'000; ++i) {
    Set("cold" + std::to_string(i), "v");
    Get("hot" + std::to_string(i % kHot));
  }
  int hot_before = 0, hot_after = 0;
  for (int i = 0; i < kHot; ++i) hot_before += store_->Exists("hot" + std::to_string(i));
  RoomReservation room(&*store_, kLarge / 4);
  StepToTheEnd(&room);
  for (int i = 0; i < kHot; ++i) hot_after += store_->Exists("hot" + std::to_string(i));
  EXPECT_GT(hot_after, hot_before * 9 / 10);
}

TEST_F(RoomReservationTest, ConcurrentWritersEvictForThemselves) {
  FillWithSmallEntries();
  std::atomic<bool> stop = false;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; !stop; ++i) {
        store_->Set("w" + std::to_string(writer) + "-" + std::to_string(i),
                    std::string(static_cast<size_t>(i % 3000), 'w'));
      }
    });
  }
  const std::string value(kLarge, 'v');
  std::vector<std::thread> large;
  for (int i = 0; i < 2; ++i) {
    large.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) {
        RoomReservation room(&*store_, value);
        while (room.Step() == Progress::kMore) {
        }
        EXPECT_EQ(store_->Set("large" + std::to_string(i), &room).outcome, SetOutcome::kStored);
      }
    });
  }
  for (std::thread& thread : large) thread.join();
  stop = true;
  for (std::thread& thread : writers) thread.join();
  EXPECT_EQ(reserved(), 0u);
  while (!store_->Sweep()) {
  }
  EXPECT_LE(store_->Stats().memory_bytes(), kReservationLimit * 105 / 100);
  store_->Flush();
  EXPECT_EQ(store_->Stats().block_bytes, 0u);
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
}

class UnlimitedRoomTest : public RoomReservationTest {
 protected:
  UnlimitedRoomTest() : RoomReservationTest({.shards = 4}) {}
};

TEST_F(UnlimitedRoomTest, ReservesNothing) {
  const std::string value(kLarge, 'v');
  RoomReservation room(&*store_, value);
  StepToTheEnd(&room);
  EXPECT_EQ(reserved(), 0u);
  ASSERT_EQ(store_->Set("large", &room).outcome, SetOutcome::kStored);
  EXPECT_EQ(Get("large"), value);
}

class NoEvictionRoomTest : public RoomReservationTest {
 protected:
  NoEvictionRoomTest()
      : RoomReservationTest({.shards = 4, .max_memory_bytes = kReservationLimit, .evict = false}) {}
};

TEST_F(NoEvictionRoomTest, IsFullAndKeepsNothing) {
  while (Set("k" + std::to_string(store_->Stats().entries), std::string(30'000, 'v'))) {
  }
  RoomReservation room(&*store_, kLarge);
  EXPECT_EQ(room.Step(), Progress::kFull);
  EXPECT_EQ(reserved(), 0u);
  EXPECT_EQ(evictions(), 0u);
}

}  // namespace
}  // namespace ferrite
