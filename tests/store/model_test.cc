// Long random sequences of operations, each answer compared with that of a std::map; see
// model_fixture.h.

#include "tests/store/model_fixture.h"

namespace ferrite {
namespace {

// A scan that goes on step by step while other operations come in between.
struct OpenScan {
  ScanCursor cursor;
  std::map<std::string, uint64_t> lives;  // what was there when it began
  std::map<std::string, int> seen;
};

class StoreModelTest : public ModelTest {
 protected:
  void DoScanStep() {
    if (scans_.size() < 3 && Chance(5)) {
      Reconcile();
      OpenScan& scan = scans_.emplace_back();
      for (const auto& [key, entry] : model_) scan.lives[key] = entry.life;
    }
    if (scans_.empty()) return;
    const size_t which = Below(static_cast<uint32_t>(scans_.size()));
    OpenScan& scan = scans_[which];
    std::vector<ScannedKey> keys;
    const bool more = store_->Scan("k", 1 + Below(GetParam().keys / 4), &scan.cursor, &keys);
    for (const ScannedKey& each : keys) {
      ASSERT_TRUE(last_versions_.contains(each.key)) << each.key;
      ++scan.seen[each.key];
    }
    if (more) return;
    // Whatever lived all the time was given once.
    Reconcile();
    for (const auto& [key, entry] : model_) {
      const auto began = scan.lives.find(key);
      if (began == scan.lives.end() || began->second != entry.life) continue;
      ASSERT_EQ(scan.seen[key], 1) << key;
      ++lived_through_;
    }
    scans_.erase(scans_.begin() + static_cast<ptrdiff_t>(which));
  }

  std::vector<OpenScan> scans_;
  uint64_t lived_through_ = 0;
};

TEST_P(StoreModelTest, AgreesWithAMap) {
  for (int step = 0; step < 60'000 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE(step);
    switch (Below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        DoSet();
        break;
      case 5:
      case 6:
      case 7:
        DoIncr();
        break;
      case 8:
      case 9:
        DoDelete();
        break;
      case 10:
      case 11:
        DoTouch();
        break;
      case 12:
        DoMGet();
        break;
      case 13:
        clock_.Advance(Below(50));
        break;
      case 14:
        store_->Sweep();
        break;
      case 15:
        if (Chance(40)) ExpectSameContent();
        if (Chance(500)) DoFlush();
        break;
      case 16:
        DoScanStep();
        break;
      default:
        DoGet();
        break;
    }
  }
  ExpectSameContent();
  EXPECT_GT(lived_through_, 100u);
  // Each configuration does what it is for.
  EXPECT_EQ(evicted_ > 0, evicts());
  EXPECT_EQ(refused_ > 0, may_be_full());
}

std::vector<ModelOptions> Configurations() {
  constexpr size_t kLimit = size_t{3} << 20;
  std::vector<ModelOptions> all;
  for (uint32_t seed = 1; seed <= 6; ++seed) all.push_back({.seed = seed});
  for (uint32_t seed = 7; seed <= 9; ++seed) {
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .keys = 3000});
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .keys = 3000, .expiry = false});
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .evict = false, .keys = 3000});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Configurations, StoreModelTest, testing::ValuesIn(Configurations()),
                         [](const auto& test) {
                           const ModelOptions& options = test.param;
                           return "Seed" + std::to_string(options.seed) +
                                  (options.max_memory_bytes == 0 ? "Unlimited"
                                   : !options.evict              ? "Full"
                                   : options.expiry              ? "Evicting"
                                                                 : "EvictingOnly");
                         });

}  // namespace
}  // namespace ferrite
