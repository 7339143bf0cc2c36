#include "store/flush_walk.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

// What one step may delete (flush_walk.h).
constexpr uint64_t kMostDeleted = 1024;

class FlushWalkTest : public StoreTest {
 protected:
  void Fill(int entries, size_t value_bytes) {
    for (int i = 0; i < entries; ++i) Set("k" + std::to_string(i), std::string(value_bytes, 'v'));
  }
};

TEST_F(FlushWalkTest, EachStepIsBoundedAndTheStepsDeleteEverything) {
  constexpr int kEntries = 100'000;
  Fill(kEntries, 64);
  FlushWalk walk(&*store_);
  double fraction = 0;
  for (bool more = true; more;) {
    const uint64_t before = walk.deleted();
    more = walk.Step();
    ASSERT_LE(walk.deleted() - before, kMostDeleted);
    ASSERT_GE(walk.fraction_done(), fraction);
    fraction = walk.fraction_done();
  }
  EXPECT_EQ(walk.deleted(), static_cast<uint64_t>(kEntries));
  EXPECT_EQ(walk.fraction_done(), 1);
  const StoreStats stats = store_->Stats();
  EXPECT_EQ(stats.entries, 0u);
  EXPECT_EQ(stats.slot_bytes, 0u);
  EXPECT_TRUE(ScanAll().empty());
  EXPECT_FALSE(walk.Step());
}

TEST_F(FlushWalkTest, LargeValuesAreFewerAStep) {
  constexpr size_t kValueBytes = 100'000;
  Fill(200, kValueBytes);
  FlushWalk walk(&*store_);
  for (bool more = true; more;) {
    const uint64_t before = walk.deleted();
    more = walk.Step();
    ASSERT_LE((walk.deleted() - before) * kValueBytes, size_t{16} << 20);
  }
  EXPECT_EQ(walk.deleted(), 200u);
  EXPECT_EQ(store_->Stats().block_bytes, 0u);
}

TEST_F(FlushWalkTest, ExpiredEntriesGoToo) {
  Set("k", "v");
  Set("expired", "v", {.expiry = Expiry::After(10)});
  clock_.Advance(10);
  FlushWalk walk(&*store_);
  while (walk.Step()) {
  }
  EXPECT_EQ(walk.deleted(), 1u);
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
}

TEST_F(FlushWalkTest, AnEmptyStoreIsDoneAtOnce) {
  FlushWalk walk(&*store_);
  while (walk.Step()) {
  }
  EXPECT_EQ(walk.deleted(), 0u);
}

TEST_F(FlushWalkTest, WhatWasThereIsGoneWhileOthersWriteAndFlush) {
  constexpr int kEntries = 20'000;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < kEntries; ++i) {
      Set("old" + std::to_string(i), std::string(static_cast<size_t>(i % 900), 'v'));
    }
    std::atomic<bool> stop = false;
    std::thread writer([&] {
      for (int i = 0; !stop; ++i) {
        const std::string key = "new" + std::to_string(i % 3000);
        store_->Set(key, std::string(static_cast<size_t>(i % 2000), 'w'));
        if (i % 3 == 0) store_->Delete("new" + std::to_string(i * 7 % 3000));
      }
    });
    std::vector<std::thread> flushes;
    std::atomic<uint64_t> deleted = 0;
    for (int i = 0; i < 2; ++i) {
      flushes.emplace_back([&] {
        FlushWalk walk(&*store_);
        while (walk.Step()) {
        }
        deleted += walk.deleted();
      });
    }
    for (std::thread& flush : flushes) flush.join();
    stop = true;
    writer.join();
    EXPECT_GE(deleted, static_cast<uint64_t>(kEntries));
    EXPECT_TRUE(ScanAll("old").empty());
    store_->Flush();
    EXPECT_EQ(store_->Stats().slot_bytes, 0u);
    EXPECT_EQ(store_->Stats().block_bytes, 0u);
  }
}

}  // namespace
}  // namespace ferrite
