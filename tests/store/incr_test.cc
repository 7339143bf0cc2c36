#include <limits>

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

}  // namespace
}  // namespace ferrite
