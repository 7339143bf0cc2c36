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

}  // namespace
}  // namespace ferrite
