#include "server/cluster/core/holdings.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ferrite::cluster {
namespace {

using ::testing::ElementsAre;

using Owned = std::vector<Holdings::Owned>;

constexpr auto kHere = Route::Place::kHere;
constexpr auto kReleasing = Route::Place::kReleasing;
constexpr auto kPreparing = Route::Place::kPreparing;

::testing::Matcher<Holdings::Piece> Piece(uint32_t first, uint32_t last, Route::Place place) {
  return ::testing::AllOf(::testing::Field(&Holdings::Piece::span, SlotSpan{first, last}),
                          ::testing::Field(&Holdings::Piece::place, place));
}

class HoldingsTest : public ::testing::Test {
 protected:
  Faults faults_;
  Holdings holdings_{faults_};
};

TEST_F(HoldingsTest, SlotsThatAreNewAreServedWhenThatMayBegin) {
  const Owned owned = {{{0, 9}, 1}, {{20, 29}, 1}};
  EXPECT_THAT(holdings_.Reconcile(owned, false),
              ElementsAre(Piece(0, 9, kPreparing), Piece(20, 29, kPreparing)));
  EXPECT_TRUE(holdings_.empty());
  EXPECT_THAT(holdings_.Reconcile(owned, true),
              ElementsAre(Piece(0, 9, kHere), Piece(20, 29, kHere)));
  // Once begun, they stay.
  EXPECT_THAT(holdings_.Reconcile(owned, false),
              ElementsAre(Piece(0, 9, kHere), Piece(20, 29, kHere)));
  EXPECT_FALSE(holdings_.TakeDrop());
}

TEST_F(HoldingsTest, WhatIsAnothersIsDropped) {
  holdings_.Reconcile({{{0, 99}, 1}}, true);
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 1}, {{50, 59}, 1}}, true),
              ElementsAre(Piece(0, 9, kHere), Piece(50, 59, kHere)));
  const auto drop = holdings_.TakeDrop();
  ASSERT_TRUE(drop);
  EXPECT_THAT(drop->spans, ElementsAre(SlotSpan{10, 49}, SlotSpan{60, 99}));
  EXPECT_FALSE(holdings_.TakeDrop());
}

TEST_F(HoldingsTest, WhatComesBackWaitsForTheDrop) {
  holdings_.Reconcile({{{0, 99}, 1}}, true);
  holdings_.Reconcile({}, true);
  const auto drop = holdings_.TakeDrop();
  ASSERT_TRUE(drop);
  EXPECT_THAT(holdings_.Reconcile({{{50, 149}, 7}}, true),
              ElementsAre(Piece(50, 99, kPreparing), Piece(100, 149, kHere)));
  holdings_.OnDropped(drop->id + 1);  // of something else
  EXPECT_THAT(holdings_.Reconcile({{{50, 149}, 7}}, true),
              ElementsAre(Piece(50, 99, kPreparing), Piece(100, 149, kHere)));
  holdings_.OnDropped(drop->id);
  EXPECT_THAT(holdings_.Reconcile({{{50, 149}, 7}}, true),
              ElementsAre(Piece(50, 99, kHere), Piece(100, 149, kHere)));
}

TEST_F(HoldingsTest, WhatWasAnothersMeanwhileIsDroppedThoughItIsOursAgain) {
  holdings_.Reconcile({{{0, 9}, 1}}, true);
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 3}}, true), ElementsAre(Piece(0, 9, kPreparing)));
  const auto drop = holdings_.TakeDrop();
  ASSERT_TRUE(drop);
  EXPECT_THAT(drop->spans, ElementsAre(SlotSpan{0, 9}));
  holdings_.OnDropped(drop->id);
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 3}}, true), ElementsAre(Piece(0, 9, kHere)));
}

TEST_F(HoldingsTest, WhatIsReleasedIsKeptUntilItIsAnothers) {
  holdings_.Reconcile({{{0, 9}, 1}}, true);
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 1, /*releasing_since=*/2}}, true),
              ElementsAre(Piece(0, 9, kReleasing)));
  EXPECT_FALSE(holdings_.TakeDrop());
  // Taken back.
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 1}}, false), ElementsAre(Piece(0, 9, kHere)));
  // Nothing is begun while it is released.
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 1}, {{10, 19}, 1, /*releasing_since=*/2}}, true),
              ElementsAre(Piece(0, 9, kHere), Piece(10, 19, kReleasing)));
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 1}, {{10, 19}, 1}}, false),
              ElementsAre(Piece(0, 9, kHere), Piece(10, 19, kPreparing)));
}

TEST_F(HoldingsTest, AllOfItCanBeDropped) {
  holdings_.Reconcile({{{0, 9}, 1}, {{16383, 16383}, 2}}, true);
  holdings_.DropAll();
  const auto drop = holdings_.TakeDrop();
  ASSERT_TRUE(drop);
  EXPECT_THAT(drop->spans, ElementsAre(SlotSpan{0, 9}, SlotSpan{16383, 16383}));
  EXPECT_THAT(holdings_.Reconcile({{{0, 9}, 1}}, true), ElementsAre(Piece(0, 9, kPreparing)));
  holdings_.OnDropped(drop->id);
  EXPECT_TRUE(holdings_.Reconcile({}, true).empty());
  EXPECT_TRUE(holdings_.empty());
}

}  // namespace
}  // namespace ferrite::cluster
