// Long random sequences of operations, each answer compared with that of a std::map; see
// model_fixture.h.

#include "tests/store/model_fixture.h"

#include <random>

namespace ferrite {
namespace {

class StoreModelTest : public ModelFixture, public testing::WithParamInterface<ModelOptions> {
 protected:
  StoreModelTest() : ModelFixture(GetParam()), random_(GetParam().seed) {}

  uint32_t Below(uint32_t bound) override { return static_cast<uint32_t>(random_() % bound); }
  uint64_t Any() override { return random_(); }

 private:
  std::mt19937_64 random_;
};

TEST_P(StoreModelTest, AgreesWithAMap) {
  for (int step = 0; step < 60'000 && !HasFatalFailure(); ++step) {
    SCOPED_TRACE(step);
    Step();
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
    all.push_back({.seed = seed, .clock_is_set = true});
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .keys = 3000, .clock_is_set = true});
    all.push_back({.seed = seed,
                   .max_memory_bytes = kLimit,
                   .evict = false,
                   .keys = 3000,
                   .clock_is_set = true});
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .keys = 3000});
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .keys = 3000, .expiry = false});
    all.push_back({.seed = seed, .max_memory_bytes = kLimit, .evict = false, .keys = 3000});
    for (const bool evict : {false, true}) {
      all.push_back({.seed = seed,
                     .max_memory_bytes = kLimit,
                     .evict = evict,
                     .keys = 3000,
                     .limit_moves = true});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Configurations, StoreModelTest, testing::ValuesIn(Configurations()),
                         [](const auto& test) {
                           const ModelOptions& options = test.param;
                           return "Seed" + std::to_string(options.seed) +
                                  (options.limit_moves ? "Moving" : "") +
                                  (options.clock_is_set ? "ClockIsSet" : "") +
                                  (options.max_memory_bytes == 0 ? "Unlimited"
                                   : !options.evict              ? "Full"
                                   : options.expiry              ? "Evicting"
                                                                 : "EvictingOnly");
                         });

}  // namespace
}  // namespace ferrite
