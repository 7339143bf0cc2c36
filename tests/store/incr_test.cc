#include <limits>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/store/store_fixture.h"

namespace ferrite {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

class IncrTest : public StoreTest {
 protected:
  IncrResult Incr(const IncrOptions& options = {}) { return store_->Incr("n", options); }
};

TEST_F(IncrTest, CountsFromZeroOrFromInitial) {
  EXPECT_EQ(Incr().value, 1);
  EXPECT_EQ(Incr({.delta = -5}).value, -4);
  EXPECT_EQ(Get("n"), "-4");
  Delete("n");
  const IncrResult first = Incr({.delta = 2, .initial = 100});
  EXPECT_TRUE(first.created);
  EXPECT_EQ(first.value, 102);
  EXPECT_FALSE(Incr({.delta = 2, .initial = 100}).created);
  EXPECT_EQ(Get("n"), "104");
}

TEST_F(IncrTest, ReadsWhatSetWrote) {
  Set("n", "10");
  EXPECT_EQ(Incr().value, 11);
  EXPECT_EQ(Get("n"), "11");
}

TEST_F(IncrTest, ASetOfFewBytesLeavesRoomForTheLongestCounter) {
  Set("n", "1");
  EXPECT_EQ(Incr({.delta = kMin}).value, kMin + 1);
  EXPECT_EQ(Get("n"), std::to_string(kMin + 1));
  EXPECT_EQ(Incr({.delta = kMax}).value, 0);
  EXPECT_EQ(Get("n"), "0");
}

TEST_F(IncrTest, TextIsNoCounterAndStaysAsItIs) {
  for (const std::string text :
       {"", " 1", "1 ", "+1", "01", "-0", "1.5", "abc", "0x10", "9223372036854775808",
        "-9223372036854775809", "1\n", "--1", "-"}) {
    Set("n", text);
    const uint64_t version = Version("n");
    EXPECT_EQ(Incr().outcome, IncrOutcome::kNotACounter) << text;
    EXPECT_EQ(Get("n"), text);
    EXPECT_EQ(Version("n"), version);
  }
}

TEST_F(IncrTest, NeverWrapsAround) {
  Set("n", std::to_string(kMax));
  EXPECT_EQ(Incr().outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Get("n"), std::to_string(kMax));
  EXPECT_EQ(Incr({.delta = 0}).value, kMax);
  Set("n", std::to_string(kMin));
  EXPECT_EQ(Incr({.delta = -1}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Incr({.delta = kMin}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Get("n"), std::to_string(kMin));
  EXPECT_EQ(Incr({.delta = kMin, .saturate = true}).value, kMin);
}

TEST_F(IncrTest, StaysWithinItsBounds) {
  EXPECT_EQ(Incr({.delta = 8, .max = 10}).value, 8);
  const IncrResult refused = Incr({.delta = 3, .max = 10});
  EXPECT_EQ(refused.outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(refused.value, 8);
  EXPECT_EQ(Get("n"), "8");
  const IncrResult held = Incr({.delta = 3, .max = 10, .saturate = true});
  EXPECT_EQ(held.value, 10);
  EXPECT_TRUE(held.saturated);
  EXPECT_FALSE(Incr({.delta = -1, .max = 10, .saturate = true}).saturated);
  EXPECT_EQ(Incr({.delta = -100, .min = 0, .saturate = true}).value, 0);
}

// A bound that is lowered below a counter does not keep it from coming down.
TEST_F(IncrTest, ACounterBeyondABoundMayComeBack) {
  Set("n", "100");
  EXPECT_EQ(Incr({.delta = -1, .max = 10}).value, 99);
  EXPECT_EQ(Incr({.delta = 1, .max = 10}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Get("n"), "99");
  EXPECT_EQ(Incr({.delta = 0, .max = 10}).value, 99);
  EXPECT_EQ(Incr({.delta = -95, .max = 10}).value, 4);
  EXPECT_EQ(Incr({.delta = 6, .max = 10}).value, 10);
  EXPECT_EQ(Incr({.delta = 1, .max = 10}).outcome, IncrOutcome::kOutOfRange);

  Set("n", "-100");
  EXPECT_EQ(Incr({.delta = 1, .min = -10}).value, -99);
  EXPECT_EQ(Incr({.delta = -1, .min = -10}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Incr({.delta = 0, .min = -10}).value, -99);
  EXPECT_EQ(Incr({.delta = 95, .min = -10}).value, -4);
}

// The way back ends at the other bound.
TEST_F(IncrTest, AStepThatCrossesTheWholeRangeGoesTooFar) {
  for (const auto& [from, delta, bound] : {std::tuple{100, -200, 0}, {-100, 200, 10}}) {
    Set("n", std::to_string(from));
    EXPECT_EQ(Incr({.delta = delta, .min = 0, .max = 10}).outcome, IncrOutcome::kOutOfRange);
    EXPECT_EQ(Get("n"), std::to_string(from));
    const IncrResult held = Incr({.delta = delta, .min = 0, .max = 10, .saturate = true});
    EXPECT_EQ(held.value, bound);
    EXPECT_TRUE(held.saturated);
  }
}

TEST_F(IncrTest, SaturationNeverMovesACounterAgainstTheStep) {
  for (const int64_t sign : {1, -1}) {
    IncrOptions options{.delta = 5 * sign, .saturate = true};
    (sign > 0 ? options.max : options.min) = 10 * sign;
    Set("n", std::to_string(100 * sign));
    const IncrResult held = Incr(options);
    EXPECT_EQ(held.outcome, IncrOutcome::kDone);
    EXPECT_EQ(held.value, 100 * sign);
    EXPECT_TRUE(held.saturated);
    EXPECT_EQ(Get("n"), std::to_string(100 * sign));
    options.delta = -5 * sign;
    const IncrResult back = Incr(options);
    EXPECT_EQ(back.value, 95 * sign);
    EXPECT_FALSE(back.saturated);
    options.delta = 0;
    const IncrResult still = Incr(options);
    EXPECT_EQ(still.value, 95 * sign);
    EXPECT_FALSE(still.saturated);
  }
}

TEST_F(IncrTest, AnAbsentCounterCountsFromItsInitialValueAsIfItHeldThat) {
  EXPECT_EQ(Incr({.delta = 1, .initial = 100, .max = 10}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_FALSE(store_->Exists("n"));
  EXPECT_EQ(Incr({.delta = -1, .initial = 100, .max = 10}).value, 99);
  Delete("n");
  EXPECT_EQ(Incr({.delta = 0, .initial = 100, .max = 10}).value, 100);
  Delete("n");
  const IncrResult held = Incr({.delta = 1, .initial = 100, .max = 10, .saturate = true});
  EXPECT_EQ(held.value, 100);
  EXPECT_TRUE(held.created);
  EXPECT_TRUE(held.saturated);
  Delete("n");
  EXPECT_EQ(Incr({.delta = 2, .min = 5}).value, 2);
}

TEST_F(IncrTest, BoundsAndStepsMayBeTheExtremesOfInt64) {
  Set("n", std::to_string(kMax));
  EXPECT_EQ(Incr({.delta = -1, .max = kMin}).value, kMax - 1);
  EXPECT_EQ(Incr({.delta = kMax, .max = kMin}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Incr({.delta = kMax, .max = kMin, .saturate = true}).value, kMax - 1);
  EXPECT_EQ(Incr({.delta = kMin, .max = kMin}).value, -2);
  EXPECT_EQ(Incr({.delta = kMin, .max = kMin}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Incr({.delta = kMin, .max = kMin, .saturate = true}).value, kMin);
  EXPECT_EQ(Incr({.delta = 1, .min = kMax}).value, kMin + 1);
  EXPECT_EQ(Incr({.delta = -1, .min = kMax}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(Incr({.delta = kMax, .min = kMax}).value, 0);
}

TEST(FullStoreIncrTest, ARefusedFirstStepEvictsNobody) {
  for (const bool evict : {true, false}) {
    Store store({.shards = 1, .max_memory_bytes = 4 << 20, .evict = evict});
    int count = 0;
    while (store.Set("k" + std::to_string(count), std::string(10, 'v')).outcome ==
               SetOutcome::kStored &&
           store.Stats().evictions == 0) {
      ++count;
    }
    StoreStats before;
    do {  // takes back what is above the limit
      before = store.Stats();
      while (!store.Sweep()) {
      }
    } while (store.Stats().evictions > before.evictions);
    for (int i = 0; i < 1000; ++i) {
      const IncrResult result = store.Incr("new" + std::to_string(i), {.delta = 11, .max = 10});
      ASSERT_EQ(result.outcome, IncrOutcome::kOutOfRange);
    }
    EXPECT_EQ(store.Stats().evictions, before.evictions);
    EXPECT_EQ(store.Stats().entries, before.entries);
  }
}

TEST_F(IncrTest, ARefusedFirstStepLeavesNothing) {
  EXPECT_EQ(Incr({.delta = 11, .max = 10}).outcome, IncrOutcome::kOutOfRange);
  EXPECT_FALSE(store_->Exists("n"));
  EXPECT_TRUE(ScanAll().empty());
  EXPECT_EQ(store_->Stats().entries, 0u);
}

TEST_F(IncrTest, KeepsTheTimeToLiveUnlessAsked) {
  Set("n", "1", {.expiry = Expiry::After(100)});
  EXPECT_EQ(Incr().ttl_ms, 100);
  EXPECT_EQ(Incr({.expiry = Expiry::After(300)}).ttl_ms, 300);
  EXPECT_EQ(Incr({.expiry = Expiry::After(50), .expiry_only_if_created = true}).ttl_ms, 300);
  clock_.Advance(300);
  const IncrResult fresh = Incr({.expiry = Expiry::After(50), .expiry_only_if_created = true});
  EXPECT_TRUE(fresh.created);
  EXPECT_EQ(fresh.value, 1);
  EXPECT_EQ(fresh.ttl_ms, 50);
}

TEST_F(IncrTest, AnExpiredCounterStartsAgain) {
  Set("n", "41", {.expiry = Expiry::After(10)});
  clock_.Advance(10);
  const IncrResult result = Incr();
  EXPECT_EQ(result.value, 1);
  EXPECT_TRUE(result.created);
  EXPECT_FALSE(result.ttl_ms.has_value());
}

TEST_F(IncrTest, GrowsAndShrinksInDigitsAndSign) {
  for (const int64_t value : {9l, 10l, 99l, 100l, 9l, 0l, -1l, -9l, -10l, -100l, -9l, 0l, 7l}) {
    const int64_t before = Incr({.delta = 0}).value;
    EXPECT_EQ(Incr({.delta = value - before}).value, value);
    EXPECT_EQ(Get("n"), std::to_string(value));
  }
}

TEST_F(IncrTest, AStepOfALastingCounterGivesTheNextVersionAndNoExpiry) {
  const uint64_t first = Incr().version;
  clock_.Advance(1000);
  for (const Expiry& expiry : {Expiry::Keep(), Expiry::Never()}) {
    const uint64_t before = Version("n");
    const IncrResult result = Incr({.expiry = expiry});
    EXPECT_EQ(result.version, before + 1);
    EXPECT_FALSE(result.created);
    EXPECT_FALSE(result.ttl_ms.has_value());
  }
  EXPECT_EQ(Incr({.expiry = Expiry::After(5), .expiry_only_if_created = true}).version, first + 3);
  EXPECT_FALSE(Ttl("n").has_value());
}

TEST_F(IncrTest, ALastingCounterTakesAnExpiryAndLosesItAgain) {
  Incr();
  EXPECT_EQ(Incr({.expiry = Expiry::After(10)}).ttl_ms, 10);
  EXPECT_EQ(Ttl("n"), 10);
  EXPECT_FALSE(Incr({.expiry = Expiry::Never()}).ttl_ms.has_value());
  clock_.Advance(10);
  EXPECT_EQ(Incr().value, 4);
}

TEST_F(IncrTest, ARefusedStepChangesNothing) {
  Set("n", "8");
  const uint64_t version = Version("n");
  const IncrResult refused = Incr({.delta = -9, .min = 0});
  EXPECT_EQ(refused.outcome, IncrOutcome::kOutOfRange);
  EXPECT_EQ(refused.value, 8);
  EXPECT_EQ(refused.version, version);
  EXPECT_EQ(Version("n"), version);
}

// A slot with room for a word: a longer number needs a block.
TEST_F(IncrTest, ACounterOutgrowsItsSlotAndFitsAgain) {
  const std::string key(24, 'k');
  Set(key, "1");
  EXPECT_EQ(store_->Incr(key, {.delta = 1'000'000'000'000}).value, 1'000'000'000'001);
  EXPECT_EQ(store_->Incr(key, {}).value, 1'000'000'000'002);
  EXPECT_EQ(Get(key), "1000000000002");
  EXPECT_EQ(store_->Incr(key, {.delta = -1'000'000'000'000}).value, 2);
  EXPECT_EQ(store_->Incr(key, {}).value, 3);
  EXPECT_EQ(Get(key), "3");
  EXPECT_EQ(store_->Stats().block_bytes, 0u);
}

TEST_F(IncrTest, StepsOfManyThreadsAddUp) {
  constexpr int kSteps = 20'000;
  std::vector<std::thread> threads;
  for (const int64_t delta : {1, 1, -3, 1'000}) {
    threads.emplace_back([this, delta] {
      uint64_t last = 0;
      for (int i = 0; i < kSteps; ++i) {
        const IncrResult result = Incr({.delta = delta});
        ASSERT_GT(result.version, last);
        last = result.version;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get("n"), std::to_string(kSteps * int64_t{999}));
}

}  // namespace
}  // namespace ferrite
