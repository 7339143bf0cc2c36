#include <thread>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

class ScanTest : public StoreTest {};

TEST_F(ScanTest, SeesEveryKeyOnce) {
  std::multiset<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    // Sizes differ, so that keys lie in pages of many classes.
    const std::string key = "key" + std::to_string(i);
    Set(key, std::string(static_cast<size_t>(i % 700), 'v'));
    expected.insert(key);
  }
  EXPECT_EQ(ScanAll("", 1), expected);
  EXPECT_EQ(ScanAll("", 100'000), expected);
}

TEST_F(ScanTest, AsksOnlyForAPrefix) {
  for (int i = 0; i < 100; ++i) {
    Set("user:" + std::to_string(i), "v");
    Set("other:" + std::to_string(i), "v");
  }
  EXPECT_EQ(ScanAll("user:").size(), 100u);
  EXPECT_EQ(ScanAll("user:1").size(), 11u);
  EXPECT_TRUE(ScanAll("nobody").empty());
}

TEST_F(ScanTest, GoesOnAfterAnyKey) {
  for (int i = 0; i < 300; ++i) Set("k" + std::to_string(i), "v");
  std::vector<ScannedKey> all;
  ScanCursor cursor;
  while (store_->Scan("", 100, &cursor, &all)) {
  }
  for (size_t i = 0; i < all.size(); i += 7) {
    std::vector<ScannedKey> rest;
    cursor = all[i].after;
    while (store_->Scan("", 100, &cursor, &rest)) {
    }
    ASSERT_EQ(rest.size(), all.size() - i - 1);
  }
}

TEST_F(ScanTest, PeekTellsWithoutCountingAsAUse) {
  Set("k", "v", {.expiry = Expiry::After(100)});
  ReadResult result;
  store_->Peek("k", false, &result);
  EXPECT_TRUE(result.found);
  EXPECT_EQ(result.value.view(), "");
  EXPECT_EQ(result.ttl_ms, 100);
  store_->Peek("k", true, &result);
  EXPECT_EQ(result.value.view(), "v");
  EXPECT_FALSE(result.not_modified);
  clock_.Advance(100);
  store_->Peek("k", true, &result);
  EXPECT_FALSE(result.found);
}

TEST_F(ScanTest, AnEmptyStoreIsScannedAtOnce) { EXPECT_TRUE(ScanAll().empty()); }

TEST_F(ScanTest, ACursorFromBeyondTheEndEnds) {
  std::vector<ScannedKey> keys;
  ScanCursor cursor{99, 99, 99};
  EXPECT_FALSE(store_->Scan("", 10, &cursor, &keys));
  cursor = {0, 99, 2000};
  while (store_->Scan("", 10, &cursor, &keys)) {
  }
  EXPECT_TRUE(keys.empty());
}

TEST_F(ScanTest, SeesWhatLivesThroughoutWhileOthersComeGrowAndGo) {
  std::multiset<std::string> stable;
  for (int i = 0; i < 2000; ++i) {
    const std::string key = "stable" + std::to_string(i);
    Set(key, "v");
    stable.insert(key);
  }
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string key = "passing" + std::to_string(i % 3000);
      store_->Set(key, std::string(static_cast<size_t>(i % 500), 'v'));
      if (i % 2 == 0) store_->Delete("passing" + std::to_string((i * 7) % 3000));
      // Stable keys are written as well, small and large, in place.
      store_->Set("stable" + std::to_string(i % 2000),
                  std::string(static_cast<size_t>(i % 3 * 700), 'w'));
    }
  });
  for (int round = 0; round < 20; ++round) EXPECT_EQ(ScanAll("stable", 7), stable);
  stop = true;
  writer.join();
}

}  // namespace
}  // namespace ferrite
