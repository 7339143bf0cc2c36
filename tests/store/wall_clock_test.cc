// What a time that the wall clock tells means while somebody sets that clock.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

using WallClockTest = StoreTest;

TEST_F(WallClockTest, AUnixTimeComesWhenTheWallClockSaysSo) {
  const int64_t now = clock_.UnixMs();
  Set("at", "v", {.expiry = Expiry::At(now + 500)});
  Set("after", "v", {.expiry = Expiry::After(500)});
  clock_.SetUnixMs(now - 86'400'000);
  EXPECT_EQ(Ttl("at"), 86'400'500);
  EXPECT_EQ(Ttl("after"), 500);
  clock_.SetUnixMs(now + 499);
  EXPECT_EQ(Ttl("at"), 1);
  EXPECT_EQ(Ttl("after"), 500);
  EXPECT_EQ(store_->Stats().entries, 2u);
  clock_.SetUnixMs(now + 500);
  EXPECT_EQ(Get("at"), "(miss)");
  EXPECT_EQ(Get("after"), "v");
  Set("at", "w", {.expiry = Expiry::At(now + 1'000), .presence = Presence::kAbsent});
  Set("at", "x", {.expiry = Expiry::Keep(), .presence = Presence::kPresent});
  EXPECT_EQ(Ttl("at"), 500);
  clock_.SetUnixMs(now);
  clock_.Advance(500);
  EXPECT_EQ(Ttl("at"), 500);
  EXPECT_EQ(Get("after"), "(miss)");
}

TEST_F(WallClockTest, WhatAStepOfTheWallClockExpiredIsReclaimedAtOnce) {
  for (int i = 0; i < 1000; ++i) {
    Set("k" + std::to_string(i), "v", {.expiry = Expiry::At(clock_.UnixMs() + 86'400'000)});
  }
  SweepAll();
  EXPECT_EQ(store_->Stats().entries, 1000u);
  clock_.SetUnixMs(clock_.UnixMs() + 86'400'000);
  EXPECT_EQ(Get("k1"), "(miss)");
  EXPECT_EQ(store_->Stats().entries, 0u);
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep, 1000u);
}

// A way to ask for a key, which tells whether it is there.
using Question = std::function<bool(Store*, std::string_view)>;
const std::vector<std::pair<const char*, Question>> kQuestions = {
    {"Get",
     [](Store* store, std::string_view key) {
       ReadResult result;
       store->Get(key, {}, &result);
       return result.found;
     }},
    {"GetAndTouch",
     [](Store* store, std::string_view key) {
       ReadResult result;
       store->Get(key, {.touch_ttl_ms = 1000}, &result);
       return result.found;
     }},
    {"MGet",
     [](Store* store, std::string_view key) {
       ReadResult result;
       store->MGet({&key, 1}, {&result, 1});
       return result.found;
     }},
    {"Peek",
     [](Store* store, std::string_view key) {
       ReadResult result;
       store->Peek(key, true, &result);
       return result.found;
     }},
    {"Exists", [](Store* store, std::string_view key) { return store->Exists(key); }},
    {"Touch", [](Store* store,
                 std::string_view key) { return store->Touch(key, Expiry::After(1000)).found; }},
    {"TouchUntilThen",
     [](Store* store, std::string_view key) { return store->Touch(key, Expiry::At(1)).found; }},
    {"SetIfPresent",
     [](Store* store, std::string_view key) {
       return store->Set(key, "w", {.presence = Presence::kPresent}).outcome == SetOutcome::kStored;
     }},
    {"SetIfVersion",
     [](Store* store, std::string_view key) {
       return store->Set(key, "w", {.if_version = 1}).version != 0;
     }},
    {"Delete", [](Store* store, std::string_view key) { return store->Delete(key).version != 0; }},
    {"IncrThatIsRefused",
     [](Store* store, std::string_view key) {
       return store->Incr(key, {.initial = 9, .max = 9}).outcome != IncrOutcome::kOutOfRange;
     }},
};

TEST_F(WallClockTest, AnEntryThatWasFoundGoneStaysGoneThoughTheWallClockIsSetBack) {
  const int64_t now = clock_.UnixMs();
  for (const auto& [name, is_there] : kQuestions) {
    Set(name, "5", {.expiry = Expiry::At(now + 500)});
    EXPECT_TRUE(Get(name) == "5") << name;
  }
  clock_.SetUnixMs(now + 500);
  for (const auto& [name, is_there] : kQuestions) EXPECT_FALSE(is_there(&*store_, name)) << name;
  clock_.SetUnixMs(now);
  for (const auto& [name, is_there] : kQuestions) {
    EXPECT_EQ(Get(name), "(miss)") << name;
    EXPECT_FALSE(is_there(&*store_, name)) << name;
  }
  EXPECT_EQ(store_->Stats().entries, 0u);
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep + store_->Stats().expired_on_access,
            kQuestions.size());
  EXPECT_EQ(store_->Stats().slot_bytes, 0u);
}

TEST_F(WallClockTest, WhatTheWallClockHadBackBeforeAnybodyAskedIsReclaimedInTime) {
  const int64_t now = clock_.UnixMs();
  Set("k", "v", {.expiry = Expiry::At(now + 500)});
  clock_.SetUnixMs(now + 500);
  clock_.SetUnixMs(now);
  SweepAll();
  clock_.Advance(500);
  EXPECT_EQ(store_->Stats().entries, 0u);
  SweepAll();
  EXPECT_EQ(store_->Stats().expired_by_sweep, 1u);
}

}  // namespace
}  // namespace ferrite
