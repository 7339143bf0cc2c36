#include <string>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

using enum SetOutcome;

TEST_F(StoreTest, ReadsWhatWasWritten) {
  EXPECT_EQ(Get("k"), "(miss)");
  EXPECT_TRUE(Set("k", "v"));
  EXPECT_EQ(Get("k"), "v");
  EXPECT_TRUE(Set("k", ""));
  EXPECT_EQ(Get("k"), "");
  EXPECT_TRUE(Delete("k"));
  EXPECT_FALSE(Delete("k"));
  EXPECT_EQ(Get("k"), "(miss)");
}

TEST_F(StoreTest, KeysAndValuesOfEverySizeComeBack) {
  // Around each border: slot classes, inline or block, and the longest key; growing and shrinking
  // in place.
  const std::vector<size_t> key_sizes = {1, 2, 8, 16, 17, 255, 256, 1000, 4095, 4096};
  const std::vector<size_t> value_sizes = {0,   1,   7,    8,    9,    64,    500,
                                           900, 960, 1000, 1024, 4096, 65536, 1 << 20};
  for (const size_t key_size : key_sizes) {
    const std::string key(key_size, 'k');
    for (int pass = 0; pass < 2; ++pass) {
      for (size_t i = 0; i < value_sizes.size(); ++i) {
        const size_t size = value_sizes[pass == 0 ? i : value_sizes.size() - 1 - i];
        const std::string value(size, static_cast<char>('a' + i));
        ASSERT_TRUE(Set(key, value));
        ASSERT_EQ(Get(key), value) << key_size << " " << size;
      }
    }
    ASSERT_TRUE(Delete(key));
  }
  EXPECT_EQ(store_->Stats().block_bytes, 0u);
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
}

TEST_F(StoreTest, KeysHoldAnyBytes) {
  const std::string nul_key("a\0b", 3);
  Set(nul_key, std::string("\0\xff\0", 3));
  EXPECT_EQ(Get(nul_key), std::string("\0\xff\0", 3));
  EXPECT_EQ(Get("a"), "(miss)");
}

TEST_F(StoreTest, AValueThatWasReadOutlivesItsEntry) {
  Set("k", std::string(100'000, 'x'));
  const ReadResult result = Read("k");
  Set("k", "other");
  Delete("k");
  EXPECT_EQ(result.value.view(), std::string(100'000, 'x'));
}

TEST_F(StoreTest, ConditionsDecideUnderTheLock) {
  EXPECT_EQ(store_->Set("k", "1", {.presence = Presence::kPresent}).outcome, kConditionFailed);
  EXPECT_EQ(Get("k"), "(miss)");
  const SetResult first = store_->Set("k", "1", {.presence = Presence::kAbsent});
  EXPECT_EQ(first.outcome, kStored);
  const SetResult second = store_->Set("k", "2", {.presence = Presence::kAbsent});
  EXPECT_EQ(second.outcome, kConditionFailed);
  EXPECT_EQ(second.version, first.version);
  EXPECT_EQ(Get("k"), "1");
  EXPECT_EQ(store_->Set("k", "2", {.if_version = first.version + 1}).outcome, kConditionFailed);
  const SetResult third = store_->Set("k", "2", {.if_version = first.version});
  EXPECT_EQ(third.outcome, kStored);
  EXPECT_GT(third.version, first.version);
  EXPECT_EQ(store_->Set("absent", "2", {.if_version = 7}).outcome, kConditionFailed);
  EXPECT_EQ(store_->Set("absent", "2", {.if_version = 0}).outcome, kConditionFailed);
}

TEST_F(StoreTest, SetReturnsWhatWasThereBefore) {
  EXPECT_FALSE(store_->Set("k", "1", {.return_previous = true}).previous.found);
  const SetResult stored =
      store_->Set("k", "2", {.expiry = Expiry::After(50), .return_previous = true});
  EXPECT_EQ(stored.previous.value.view(), "1");
  EXPECT_FALSE(stored.previous.ttl_ms.has_value());
  const SetResult failed =
      store_->Set("k", "3", {.presence = Presence::kAbsent, .return_previous = true});
  EXPECT_EQ(failed.outcome, kConditionFailed);
  EXPECT_EQ(failed.previous.value.view(), "2");
  EXPECT_EQ(failed.previous.ttl_ms, 50);
}

TEST_F(StoreTest, DeleteAtAVersion) {
  Set("k", "1");
  const uint64_t version = Version("k");
  const DeleteResult wrong = store_->Delete("k", version + 1);
  EXPECT_FALSE(wrong.deleted);
  EXPECT_EQ(wrong.version, version);
  EXPECT_EQ(Get("k"), "1");
  EXPECT_TRUE(store_->Delete("k", version).deleted);
  EXPECT_EQ(store_->Delete("k", version).version, 0u);
}

TEST_F(StoreTest, AnEntryIsGoneFromTheMillisecondOnInWhichItExpires) {
  Set("k", "v", {.expiry = Expiry::After(100)});
  clock_.Advance(99);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(Ttl("k"), 1);
  EXPECT_EQ(store_->Stats().entries, 1u);
  clock_.Advance(1);
  EXPECT_EQ(Get("k"), "(miss)");
  EXPECT_FALSE(store_->Exists("k"));
  EXPECT_FALSE(store_->Touch("k", Expiry::Never()).found);
  EXPECT_FALSE(Read("k", {.touch_ttl_ms = 1000}).found);
  EXPECT_EQ(store_->Stats().entries, 0u);
  EXPECT_FALSE(Set("k", "w", {.presence = Presence::kPresent}));
  EXPECT_FALSE(Delete("k"));
  EXPECT_TRUE(Set("k", "w", {.presence = Presence::kAbsent}));
  EXPECT_EQ(Get("k"), "w");
  EXPECT_FALSE(Ttl("k").has_value());
}

TEST_F(StoreTest, ExpiryKinds) {
  Set("k", "v", {.expiry = Expiry::At(clock_.UnixMs() + 500)});
  EXPECT_EQ(Ttl("k"), 500);
  Set("k", "w", {.expiry = Expiry::Keep()});
  EXPECT_EQ(Ttl("k"), 500);
  Set("k", "x");
  EXPECT_FALSE(Ttl("k").has_value());
  Set("new", "x", {.expiry = Expiry::Keep()});
  EXPECT_FALSE(Ttl("new").has_value());
  // The time to live of an entry that has expired does not go on.
  Set("k", "x", {.expiry = Expiry::After(10)});
  clock_.Advance(10);
  Set("k", "y", {.expiry = Expiry::Keep()});
  EXPECT_FALSE(Ttl("k").has_value());
  Set("k", "x", {.expiry = Expiry::After(kMaxTtlMs)});
  EXPECT_EQ(Ttl("k"), kMaxTtlMs);
  clock_.Advance(kMaxTtlMs - 1);
  EXPECT_EQ(Get("k"), "x");
  clock_.Advance(1);
  EXPECT_EQ(Get("k"), "(miss)");
}

TEST_F(StoreTest, TouchChangesTheExpiryAndNothingElse) {
  Set("k", "v");
  const uint64_t version = Version("k");
  EXPECT_EQ(store_->Touch("k", Expiry::After(70)).ttl_ms, 70);
  EXPECT_EQ(store_->Touch("k", std::nullopt).ttl_ms, 70);
  EXPECT_FALSE(store_->Touch("k", Expiry::Never()).ttl_ms.has_value());
  EXPECT_EQ(Read("k", {.touch_ttl_ms = 30}).ttl_ms, 30);
  EXPECT_EQ(Version("k"), version);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_FALSE(store_->Touch("absent", Expiry::After(70)).found);
}

TEST_F(StoreTest, ACallerWhoHasTheVersionIsSpared) {
  Set("k", "v");
  const uint64_t version = Version("k");
  const ReadResult same = Read("k", {.if_version_not = version});
  EXPECT_TRUE(same.found);
  EXPECT_TRUE(same.not_modified);
  EXPECT_EQ(same.value.view(), "");
  EXPECT_FALSE(Read("k", {.if_version_not = version - 1}).not_modified);
}

TEST_F(StoreTest, MGetAnswersInOrderAndClearsWhatWasInTheResults) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back("k" + std::to_string(i % 70));
    if (i % 3 == 0) Set(names.back(), "v" + std::to_string(i % 70));
  }
  const std::vector<std::string_view> keys(names.begin(), names.end());
  std::vector<ReadResult> results(keys.size());
  for (ReadResult& result : results) {
    result.found = result.not_modified = true;
    result.ttl_ms = 1;
    result.value.Assign("stale");
  }
  store_->MGet(keys, results);
  for (size_t i = 0; i < keys.size(); ++i) {
    const ReadResult expected = Read(keys[i]);
    EXPECT_EQ(results[i].found, expected.found);
    EXPECT_EQ(results[i].value.view(), expected.value.view());
    EXPECT_EQ(results[i].version, expected.version);
    EXPECT_FALSE(results[i].ttl_ms.has_value());
    EXPECT_FALSE(results[i].not_modified);
  }
}

TEST_F(StoreTest, TheSweepReclaimsWhatExpiredAndNothingElse) {
  for (int i = 0; i < 3000; ++i) {
    const Expiry expiry = i % 3 == 0 ? Expiry::Never() : Expiry::After(i % 3 == 1 ? 100 : 5000);
    Set("k" + std::to_string(i), "v", {.expiry = expiry});
  }
  // Shortened: the sweep must not wait for the time that stood first.
  for (int i = 2; i < 3000; i += 30) store_->Touch("k" + std::to_string(i), Expiry::After(50));
  // Prolonged: the sweep comes at the time that stood first, and must let it be.
  for (int i = 1; i < 3000; i += 30) store_->Touch("k" + std::to_string(i), Expiry::After(9000));
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep, 0u);
  clock_.Advance(100);
  EXPECT_EQ(store_->Stats().entries, 2000u);
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep, 1000u);
  EXPECT_EQ(store_->Stats().entries, 2000u);
  clock_.Advance(4900);
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep, 1900u);
  clock_.Advance(4000);
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep, 2000u);
  EXPECT_EQ(store_->Stats().entries, 1000u);
}

TEST_F(StoreTest, FlushDeletesEverything) {
  for (int i = 0; i < 5000; ++i) Set("k" + std::to_string(i), "v");
  EXPECT_EQ(store_->Flush(), 5000u);
  EXPECT_EQ(store_->Stats().entries, 0u);
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
  EXPECT_EQ(store_->Flush(), 0u);
}

TEST_F(StoreTest, TheLeastMemoryIsWhatTablesAndShardsTake) {
  const uint64_t least = store_->LeastMemoryBytes();
  EXPECT_EQ(least, store_->Stats().table_bytes + 4 * kMinShardBytes);
  for (int i = 0; i < 50'000; ++i) Set(std::to_string(i), "v");
  EXPECT_GT(store_->LeastMemoryBytes(), least);
  EXPECT_EQ(store_->LeastMemoryBytes(), store_->Stats().table_bytes + 4 * kMinShardBytes);
}

}  // namespace
}  // namespace ferrite
