#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

class VersionTest : public StoreTest {
 protected:
  // Each call must give more than the one before.
  void ExpectNewer(uint64_t version) {
    EXPECT_GT(version, last_);
    last_ = version;
  }
  uint64_t last_ = 0;
};

TEST_F(VersionTest, GrowsWithEachWriteWhileTheClockStands) {
  for (int i = 0; i < 10; ++i) ExpectNewer(store_->Set("k", "1").version);
  for (int i = 0; i < 10; ++i) ExpectNewer(store_->Incr("k", {}).version);
}

TEST_F(VersionTest, GoesOnAfterDelete) {
  for (int i = 0; i < 10; ++i) {
    ExpectNewer(store_->Set("k", "1").version);
    ExpectNewer(store_->Set("k", "2").version);
    Delete("k");
  }
}

TEST_F(VersionTest, GoesOnAfterExpiryWhetherSweptOrNot) {
  for (const bool swept : {true, false}) {
    for (int i = 0; i < 5; ++i)
      ExpectNewer(store_->Set("k", "1", {.expiry = Expiry::After(1)}).version);
    clock_.Advance(1);
    if (swept) SweepAll();
    clock_.SetUnixMs(clock_.UnixMs() - 1);
    ExpectNewer(store_->Set("k", "1").version);
  }
}

TEST_F(VersionTest, GoesOnWhenTheWallClockIsSetBack) {
  ExpectNewer(store_->Set("k", "1").version);
  clock_.SetUnixMs(5);
  ExpectNewer(store_->Set("k", "1").version);
  Delete("k");
  ExpectNewer(store_->Set("k", "1").version);
}

TEST_F(VersionTest, GoesOnAfterARestart) {
  for (int i = 0; i < 100; ++i) ExpectNewer(store_->Set("k", "1").version);
  clock_.Advance(1);
  store_.emplace(StoreOptions{.shards = 4, .clock = &clock_});
  ExpectNewer(store_->Set("k", "1").version);
}

TEST_F(VersionTest, IsExactAsADouble) {
  double last = 0;
  const auto expect_exact = [&](uint64_t version) {
    const auto as_double = static_cast<double>(version);
    EXPECT_EQ(static_cast<uint64_t>(as_double), version);
    EXPECT_GT(as_double, last);
    last = as_double;
  };
  for (int i = 0; i < 10; ++i) {
    expect_exact(store_->Set("k", "1").version);
    expect_exact(store_->Incr("k", {}).version);
    expect_exact(store_->Set("k", "1", {.if_version = static_cast<uint64_t>(last)}).version);
    Delete("k");
  }
  // As long as the contract says.
  constexpr int64_t kYear2254Ms = (int64_t{2254} - 1970) * 365 * 24 * 3'600'000;
  clock_.SetUnixMs(kYear2254Ms);
  expect_exact(store_->Set("k", "1").version);
}

// Versions that ran ahead of the clock stay ahead, for other keys, too, and do not jump further.
TEST_F(VersionTest, OfAKeyWrittenFasterThanTheClockTicksRunsAhead) {
  uint64_t first = store_->Set("k", "1").version;
  for (int i = 0; i < 5000; ++i) ExpectNewer(store_->Set("k", "1").version);
  EXPECT_EQ(last_, first + 5000);
  clock_.Advance(1);  // 1,000 us, of 5,000
  ExpectNewer(store_->Set("k", "1").version);
  EXPECT_EQ(last_, first + 5001);
  Delete("k");
  ExpectNewer(store_->Set("k", "1").version);
  EXPECT_EQ(last_, first + 5002);
  Delete("k");
  clock_.Advance(10);  // now the clock has caught up
  EXPECT_EQ(store_->Set("k", "1").version, static_cast<uint64_t>(clock_.UnixUs()));
}

TEST_F(VersionTest, OfAbsentKeysAreAboveTheFloor) {
  Set("there", "1");
  const uint64_t there = Version("there");
  const uint64_t floor = static_cast<uint64_t>(clock_.UnixUs()) + 60'000'000;
  store_->RaiseVersionFloor(floor);
  store_->RaiseVersionFloor(floor - 10);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(store_->Set("new" + std::to_string(i), "1").version, floor + 1);
    EXPECT_EQ(store_->Incr("counter" + std::to_string(i), {}).version, floor + 1);
  }
  EXPECT_EQ(store_->Set("there", "2").version, there + 1);
  clock_.Advance(120'000);
  EXPECT_EQ(store_->Set("later", "1").version, static_cast<uint64_t>(clock_.UnixUs()));
}

TEST_F(VersionTest, FollowTheClockUpToTheCeilingOnly) {
  const uint64_t ceiling = static_cast<uint64_t>(clock_.UnixUs()) + 1'000'000;
  store_->SetVersionCeiling(ceiling);
  EXPECT_EQ(store_->Set("k", "1").version, static_cast<uint64_t>(clock_.UnixUs()));
  clock_.SetUnixMs(clock_.UnixMs() + 86'400'000);  // somebody sets the clock to tomorrow
  EXPECT_EQ(store_->Set("other", "1").version, ceiling);
  EXPECT_EQ(store_->Set("third", "1", {.expiry = Expiry::After(10)}).version, ceiling);
  last_ = ceiling;
  ExpectNewer(store_->Incr("other", {}).version);
  EXPECT_EQ(last_, ceiling + 1);
  store_->SetVersionCeiling(ceiling + 5'000'000);
  EXPECT_EQ(store_->Set("fourth", "1").version, ceiling + 5'000'000);
}

}  // namespace
}  // namespace ferrite
