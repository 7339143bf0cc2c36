// Many threads on few keys, with eviction, expiry and scans at work. Run it under the thread and
// address sanitizers
// (./dev test tsan); on its own it checks that no thread ever sees a value that nobody wrote.

#include <cstring>
#include <limits>
#include <random>
#include <thread>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

constexpr int kThreads = 8;
constexpr int kOperations = 30'000;
constexpr size_t kMovingLimit = std::numeric_limits<size_t>::max();

// A value that names its key and fills its length, so that a torn or foreign one shows.
std::string ValueFor(const std::string& key, size_t size) {
  std::string value = key + ":";
  while (value.size() < size) value += key;
  return value;
}
bool BelongsTo(std::string_view value, const std::string& key) {
  if (value.size() < key.size() + 1 || value.substr(0, key.size()) != key ||
      value[key.size()] != ':')
    return false;
  return value == ValueFor(key, value.size()).substr(0, value.size());
}

class StressTest : public testing::TestWithParam<size_t> {};

TEST_P(StressTest, NobodySeesWhatNobodyWrote) {
  const bool limit_moves = GetParam() == kMovingLimit;
  Store store({.shards = 2, .max_memory_bytes = limit_moves ? 4 << 20 : GetParam()});
  std::atomic<bool> stop = false;
  std::thread keeper([&] {
    std::vector<ScannedKey> keys;
    ScanCursor cursor;
    for (int round = 0; !stop; ++round) {
      if (limit_moves) store.SetMaxMemoryBytes(size_t{round % 5u} << 20);
      store.Sweep();
      keys.clear();
      if (!store.Scan("k", 50, &cursor, &keys)) cursor = {};
      (void)store.Stats();
    }
  });
  std::vector<std::thread> workers;
  for (int t = 0; t < kThreads; ++t) {
    workers.emplace_back([&store, t] {
      std::mt19937 random(static_cast<uint32_t>(t));
      ReadResult result;
      std::vector<ReadResult> results(20);
      for (int i = 0; i < kOperations; ++i) {
        const std::string key = "k" + std::to_string(random() % 2000);
        const size_t size = random() % 20 == 0 ? random() % 60'000 : random() % 400;
        switch (random() % 10) {
          case 0:
          case 1:
          case 2:
            store.Set(key, ValueFor(key, size));
            break;
          case 3:
            store.Set(key, ValueFor(key, size), {.expiry = Expiry::After(1 + random() % 5)});
            break;
          case 4:
            store.Delete(key);
            break;
          case 5:
            store.Touch(key, Expiry::After(1 + random() % 5));
            break;
          case 6: {
            store.Incr("counter" + std::to_string(random() % 4), {});
            break;
          }
          case 7: {
            std::vector<std::string> names;
            for (int j = 0; j < 20; ++j) names.push_back("k" + std::to_string(random() % 2000));
            const std::vector<std::string_view> keys(names.begin(), names.end());
            store.MGet(keys, results);
            for (size_t j = 0; j < keys.size(); ++j) {
              ASSERT_TRUE(!results[j].found || BelongsTo(results[j].value.view(), names[j]))
                  << names[j];
            }
            break;
          }
          default:
            store.Get(key, {}, &result);
            ASSERT_TRUE(!result.found || BelongsTo(result.value.view(), key)) << key;
        }
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  stop = true;
  keeper.join();
  store.Flush();
  const StoreStats stats = store.Stats();
  EXPECT_EQ(stats.entries, 0u);
  EXPECT_EQ(stats.block_bytes, 0u);
  EXPECT_EQ(stats.slot_bytes, 0u);
}

// Without a limit, with one that makes every other write evict, and with one that changes.
INSTANTIATE_TEST_SUITE_P(Limits, StressTest, testing::Values(0, 4 << 20, kMovingLimit));

// Batches of which each makes and deletes the same few keys, so that they meet in buckets, slots
// and queue.
TEST(StressTest, EachKeyThatWasMadeIsDeletedOnce) {
  constexpr size_t kKeys = 200;
  constexpr size_t kBatch = 20;
  Store store({.shards = 1});
  std::atomic<int64_t> entries = 0;
  std::vector<std::thread> workers;
  for (int t = 0; t < kThreads; ++t) {
    workers.emplace_back([&store, &entries, t] {
      std::mt19937 random(static_cast<uint32_t>(t));
      std::vector<std::string> names(kBatch), values(kBatch);
      std::vector<std::string_view> keys(kBatch);
      std::vector<SetItem> items(kBatch);
      std::vector<SetResult> set(kBatch);
      std::vector<DeleteResult> deleted(kBatch);
      for (size_t i = 0; i < kOperations / kBatch; ++i) {
        for (size_t j = 0; j < kBatch; ++j) {
          keys[j] = names[j] = "k" + std::to_string(random() % kKeys);
          values[j] = ValueFor(names[j], random() % 100);
          items[j] = {keys[j], values[j], {.presence = Presence::kAbsent}};
        }
        if (random() % 2 == 0) {
          store.MSet(items, set);
          for (const SetResult& each : set) entries += each.outcome == SetOutcome::kStored;
        } else {
          store.MDelete(keys, deleted);
          for (const DeleteResult& each : deleted) entries -= each.deleted;
        }
        ReadResult result;
        store.Get(keys[0], {}, &result);
        ASSERT_TRUE(!result.found || BelongsTo(result.value.view(), names[0])) << names[0];
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(store.Stats().entries, static_cast<uint64_t>(entries));
  EXPECT_EQ(store.Flush(), static_cast<uint64_t>(entries));
  EXPECT_EQ(store.Stats().slot_bytes, 0u);
}

TEST(StressTest, ReadersOfOneHotKeySeeVersionsGrow) {
  Store store({.shards = 1});
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) store.Set("hot", std::to_string(i));
  });
  std::vector<std::thread> readers;
  for (int t = 0; t < 4; ++t) {
    readers.emplace_back([&] {
      uint64_t last_version = 0;
      int64_t last_value = -1;
      ReadResult result;
      for (int i = 0; i < 50'000; ++i) {
        store.Get("hot", {}, &result);
        if (!result.found) continue;
        const int64_t value = std::stoll(std::string(result.value.view()));
        ASSERT_GE(result.version, last_version);
        ASSERT_GE(value, last_value);
        ASSERT_EQ(result.version == last_version, value == last_value);
        last_version = result.version;
        last_value = value;
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  stop = true;
  writer.join();
}

// A read that is to extend the life of what it finds does so, or finds nothing. It must not look
// twice: between the two looks the key may come.
TEST(StressTest, AReadThatTouchesHasTouchedWhatItFound) {
  Store store({.shards = 1});
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      store.Set("k", "v");
      store.Delete("k");
    }
  });
  ReadResult result;
  bool all_touched = true;
  for (int i = 0; i < 3'000'000; ++i) {
    store.Get("k", {.touch_ttl_ms = 60'000}, &result);
    all_touched = all_touched && result.found == result.ttl_ms.has_value();
  }
  stop = true;
  writer.join();
  EXPECT_TRUE(all_touched);
}

}  // namespace
}  // namespace ferrite
