// What eight threads were told by the store, judged: see linearizability.h. First the same threads
// work on stores with the faults that caches have had, and each must be found out.

#include <gtest/gtest.h>

#include <cstring>

#include "tests/store/recording.h"

namespace ferrite {
namespace {

// Values inside the node and in blocks, of one size and changing: from a slot that is too small for
// the next value, and back.
const std::vector<RecordedKey>& Keys() {
  static const auto* const kKeys = new std::vector<RecordedKey>{
      {"counter", {}},
      {"small", {8}},
      {"inline", {300}},
      {"block", {2048}},
      {"growing", {8, 40, 300, 900, 2048}},
      {"shrinking" + std::string(200, '.'), {2048, 5000, 300, 8, 16}},
      {"another counter", {}},
  };
  return *kKeys;
}

// Works on a faulty store until the fault shows. It does within a fraction of a second; if it never
// did, ctest would end the test.
template <typename FaultyStore>
std::string FaultFoundIn() {
  for (;;) {
    FaultyStore store({.shards = 1});
    std::string fault =
        FirstFault(Keys(), Record(&store, Keys(), {.threads = 4, .operations = 2000}));
    if (fault != "none") return fault;
  }
}

struct CountsInTwoSteps : Store {
  using Store::Store;
  IncrResult Incr(std::string_view key, const IncrOptions& options) {
    ReadResult before;
    Get(key, {}, &before);
    std::this_thread::yield();
    IncrResult result;
    if (before.found) result.value = std::stoll(std::string(before.value.view()));
    result.value += options.delta;
    result.version = Set(key, std::to_string(result.value)).version;
    return result;
  }
};

struct ChecksInTwoSteps : Store {
  using Store::Store;
  SetResult Set(std::string_view key, std::string_view value, const SetOptions& options) {
    if (options.presence != Presence::kAbsent) return Store::Set(key, value, options);
    ReadResult before;
    Get(key, {}, &before);
    std::this_thread::yield();
    if (!before.found) return Store::Set(key, value);
    return {SetOutcome::kConditionFailed, before.version, {}};
  }
};

// Each thread reads now and then what it has read before.
struct RemembersReads : Store {
  using Store::Store;
  void Get(std::string_view key, const GetOptions& options, ReadResult* result) {
    thread_local std::string last_key;
    thread_local int left = 0;
    if (left-- > 0 && last_key == key) return;
    left = 3;
    last_key = key;
    Store::Get(key, options, result);
  }
};

// A reader that copies a value while it is overwritten, and does not notice.
struct TearsValues : Store {
  using Store::Store;
  void Get(std::string_view key, const GetOptions& options, ReadResult* result) {
    ReadResult before;
    Store::Get(key, options, &before);
    std::this_thread::yield();
    Store::Get(key, options, result);
    const std::string_view first = before.value.view();
    std::string torn(result->value.view());
    if (!before.found || !result->found || first.size() != torn.size()) return;
    std::memcpy(torn.data(), first.data(), torn.size() / 2);
    result->value.Assign(torn);
  }
};

// A reader that takes the version from one moment and the value from another.
struct MixesVersions : Store {
  using Store::Store;
  void Get(std::string_view key, const GetOptions& options, ReadResult* result) {
    Store::Get(key, options, result);
    const uint64_t version = result->version;
    std::this_thread::yield();
    Store::Get(key, options, result);
    if (version != 0 && result->found) result->version = version;
  }
};

// A touch that writes back what it has read brings back what was deleted.
struct TouchesByWriting : Store {
  using Store::Store;
  TouchResult Touch(std::string_view key, std::optional<Expiry> /*expiry*/) {
    ReadResult before;
    Get(key, {}, &before);
    std::this_thread::yield();
    if (!before.found) return {};
    Set(key, before.value.view());
    return {.found = true, .version = before.version, .ttl_ms = {}};
  }
};

// A removal that looks first and removes then takes away what was written in between, and tells of
// the other.
struct DeletesInTwoSteps : Store {
  using Store::Store;
  DeleteResult Delete(std::string_view key) {
    ReadResult before;
    Get(key, {}, &before);
    std::this_thread::yield();
    if (!before.found) return {};
    Store::Delete(key);
    return {.deleted = true, .version = before.version};
  }
};

TEST(HistoryTest, FaultsOfOthersAreFound) {
  EXPECT_NE(FaultFoundIn<CountsInTwoSteps>(), "");
  EXPECT_NE(FaultFoundIn<ChecksInTwoSteps>(), "");
  EXPECT_NE(FaultFoundIn<RemembersReads>(), "");
  EXPECT_NE(FaultFoundIn<TearsValues>(), "");
  EXPECT_NE(FaultFoundIn<MixesVersions>(), "");
  EXPECT_NE(FaultFoundIn<TouchesByWriting>(), "");
  EXPECT_NE(FaultFoundIn<DeletesInTwoSteps>(), "");
}

// Shards, and whether a keeper sweeps, scans and counts beside the threads.
class StoreHistoryTest : public testing::TestWithParam<std::tuple<size_t, bool>> {
 protected:
  StoreHistoryTest() : store_({.shards = std::get<0>(GetParam())}) {
    if (!std::get<1>(GetParam())) return;
    keeper_ = std::thread([this] {
      ScanCursor cursor;
      std::vector<ScannedKey> keys;
      while (!stop_.load(std::memory_order_relaxed)) {
        store_.Sweep();
        keys.clear();
        if (!store_.Scan("", 3, &cursor, &keys)) cursor = {};
        (void)store_.Stats();
      }
    });
  }
  ~StoreHistoryTest() override {
    stop_.store(true, std::memory_order_relaxed);
    if (keeper_.joinable()) keeper_.join();
  }

  Store store_;

 private:
  std::atomic<bool> stop_ = false;
  std::thread keeper_;
};

TEST_P(StoreHistoryTest, EveryCallIsOneStep) {
  EXPECT_EQ(FirstFault(Keys(), Record(&store_, Keys(), {})), "none");
}

// Most calls find the key; the values change under the readers.
TEST_P(StoreHistoryTest, OverwritesAreOneStep) {
  EXPECT_EQ(FirstFault(Keys(), Record(&store_, Keys(), {.one_delete_in = 0})), "none");
}

// One key, which comes and goes all the time.
TEST_P(StoreHistoryTest, ComingAndGoingIsOneStep) {
  for (const RecordedKey& key : Keys()) {
    const std::span<const RecordedKey> keys(&key, 1);
    const RecordingOptions options{.operations = 4000, .one_delete_in = 3};
    EXPECT_EQ(FirstFault(keys, Record(&store_, keys, options)), "none");
    store_.Flush();
  }
}

// One thread deletes whatever it meets as fast as it can, as eviction would.
TEST_P(StoreHistoryTest, DeletesFromBehindAreOneStep) {
  RecordingThread<Store> deleting(&store_, Keys(), 99);
  std::atomic<bool> stop = false;
  std::thread deleter([&] {
    while (!stop.load(std::memory_order_relaxed)) deleting.Delete();
  });
  std::vector<KeyHistory> histories = Record(&store_, Keys(), {.one_delete_in = 0});
  stop.store(true, std::memory_order_relaxed);
  deleter.join();
  for (size_t key = 0; key < histories.size(); ++key) {
    const KeyHistory& part = deleting.histories()[key];
    histories[key].insert(histories[key].end(), part.begin(), part.end());
  }
  EXPECT_EQ(FirstFault(Keys(), histories), "none");
}

INSTANTIATE_TEST_SUITE_P(ShardsAndKeeper, StoreHistoryTest,
                         testing::Combine(testing::Values(1, 2), testing::Bool()));

}  // namespace
}  // namespace ferrite
