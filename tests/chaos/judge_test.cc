// The judge of a cluster must itself be judged: histories that look odd and are right, and the
// faults that it is there to find.

#include "tests/chaos/judge.h"

#include <gmock/gmock.h>

namespace ferrite {
namespace {

using testing::HasSubstr;

constexpr int64_t kLate = 1'000'000;

ObservedCall Make(CallKind kind, Outcome outcome, bool done, uint64_t value, uint64_t version,
                  int64_t begin_ns) {
  ObservedCall call;
  call.call.kind = kind;
  call.outcome = outcome;
  call.call.done = done;
  call.call.value = value;
  call.call.version = version;
  call.call.argument = kind == CallKind::kIncr ? 1 : 0;
  call.call.begin_ns = begin_ns;
  call.call.end_ns = begin_ns + 5;
  return call;
}
// Each takes 5 ns from its begin on.
ObservedCall Get(int64_t at, uint64_t value, uint64_t version) {
  return Make(CallKind::kGet, Outcome::kKnown, true, value, version, at);
}
ObservedCall Miss(int64_t at) { return Make(CallKind::kGet, Outcome::kKnown, false, 0, 0, at); }
ObservedCall Set(int64_t at, uint64_t value, uint64_t version) {
  return Make(CallKind::kSet, Outcome::kKnown, true, value, version, at);
}
ObservedCall LostSet(int64_t at, uint64_t value) {
  return Make(CallKind::kSet, Outcome::kUnknown, false, value, 0, at);
}
ObservedCall RefusedSet(int64_t at, uint64_t value) {
  return Make(CallKind::kSet, Outcome::kNothingDone, false, value, 0, at);
}
ObservedCall Delete(int64_t at, uint64_t version) {
  return Make(CallKind::kDelete, Outcome::kKnown, true, 0, version, at);
}
ObservedCall LostDelete(int64_t at) {
  return Make(CallKind::kDelete, Outcome::kUnknown, false, 0, 0, at);
}
ObservedCall Incr(int64_t at, uint64_t value, uint64_t version) {
  return Make(CallKind::kIncr, Outcome::kKnown, true, value, version, at);
}
ObservedCall LostIncr(int64_t at) {
  return Make(CallKind::kIncr, Outcome::kUnknown, false, 0, 0, at);
}

std::string BrokenIn(const std::vector<ObservedCall>& observed,
                     const std::vector<TimeSpan>& losses = {}) {
  return FindBrokenPromise(observed, losses).value_or("none");
}

TEST(JudgeTest, AValueIsLostOnlyWhileSlotsMove) {
  const std::vector<ObservedCall> lost = {Set(0, 11, 1), Get(10, 11, 1), Miss(20), Set(30, 12, 2)};
  EXPECT_EQ(BrokenIn(lost, {{12, 22}}), "none");
  EXPECT_THAT(BrokenIn(lost), HasSubstr("fits nowhere"));
  EXPECT_THAT(BrokenIn(lost, {{26, kLate}}), HasSubstr("fits nowhere"));
}

TEST(JudgeTest, AnOlderValueIsFoundThoughValuesMayBeLost) {
  EXPECT_NE(BrokenIn({Set(0, 11, 1), Set(10, 12, 2), Get(20, 11, 1)}, {{0, kLate}}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 1), Miss(10), Get(20, 11, 1)}, {{0, kLate}}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 1), Delete(10, 1), Get(20, 11, 1)}, {{0, kLate}}), "none");
}

TEST(JudgeTest, AVersionThatGoesBackIsFoundThoughValuesMayBeLost) {
  EXPECT_NE(BrokenIn({Set(0, 11, 2), Miss(10), Set(20, 12, 1)}, {{0, kLate}}), "none");
  EXPECT_NE(BrokenIn({Incr(0, 1, 7), Incr(10, 1, 6)}, {{0, kLate}}), "none");
}

TEST(JudgeTest, WhatTwoNodesServeAtATimeIsFound) {
  // Each tells its own value in turn.
  EXPECT_NE(BrokenIn({Set(0, 11, 1), Set(10, 12, 5), Get(20, 11, 1), Get(30, 12, 5)}, {{0, kLate}}),
            "none");
  // Each counts by itself.
  EXPECT_NE(BrokenIn({Incr(0, 1, 1), Incr(10, 2, 2), Incr(20, 3, 5), Incr(30, 3, 3)}, {{0, kLate}}),
            "none");
}

TEST(JudgeTest, AWriteOfUnknownOutcomeMayCountOrNot) {
  EXPECT_EQ(BrokenIn({Set(0, 11, 1), LostSet(10, 12), Get(20, 11, 1)}), "none");
  EXPECT_EQ(BrokenIn({Set(0, 11, 1), LostSet(10, 12), Get(20, 12, 4)}), "none");
  // Even late.
  EXPECT_EQ(BrokenIn({Set(0, 11, 1), LostSet(10, 12), Get(20, 11, 1), Get(30, 12, 4)}), "none");
  // But once, and neither early nor back.
  EXPECT_NE(BrokenIn({LostSet(10, 12), Get(0, 12, 4)}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 1), LostSet(10, 12), Get(20, 12, 4), Get(30, 11, 1)}), "none");
  EXPECT_NE(BrokenIn({LostSet(10, 12), Get(20, 12, 4), Set(30, 13, 5), Get(40, 12, 6)}), "none");
}

TEST(JudgeTest, WhatWasRefusedMustNotShow) {
  EXPECT_EQ(BrokenIn({Set(0, 11, 1), RefusedSet(10, 12), Get(20, 11, 1)}), "none");
  EXPECT_THAT(BrokenIn({Set(0, 11, 1), RefusedSet(10, 12), Get(20, 12, 4)}),
              HasSubstr("nobody wrote"));
}

TEST(JudgeTest, ASetThatWasTriedAgainMayShowUnderSeveralVersions) {
  ObservedCall again = Set(10, 12, 6);
  again.may_repeat = true;
  EXPECT_EQ(BrokenIn({Set(0, 11, 1), again, Get(11, 12, 4), Get(20, 12, 6)}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 1), Set(10, 12, 6), Get(11, 12, 4), Get(20, 12, 6)}), "none");
  // But each version of it is no older than what others have read.
  EXPECT_NE(BrokenIn({Set(0, 11, 1), again, Get(20, 12, 6), Get(30, 12, 4)}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 5), Get(6, 11, 5), again, Get(11, 12, 4)}), "none");
}

TEST(JudgeTest, ADeleteOfUnknownOutcomeMayComeLate) {
  EXPECT_EQ(BrokenIn({Set(0, 11, 1), LostDelete(10), Get(20, 11, 1), Miss(30)}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 1), Miss(10), LostDelete(30)}), "none");
  EXPECT_NE(BrokenIn({Set(0, 11, 1), LostDelete(10), Miss(20), Get(30, 11, 1)}), "none");
}

TEST(JudgeTest, ADeleteMayTakeAwayWhatNobodyRead) {
  EXPECT_EQ(BrokenIn({LostSet(0, 11), Delete(10, 3), Miss(20)}), "none");
  EXPECT_NE(BrokenIn({Delete(10, 3), LostSet(20, 11)}), "none");
}

TEST(JudgeTest, AnIncrOfUnknownOutcomeCountsAtMostOnce) {
  EXPECT_EQ(BrokenIn({Incr(0, 1, 1), LostIncr(10), Incr(20, 3, 5)}), "none");
  EXPECT_EQ(BrokenIn({Incr(0, 1, 1), LostIncr(10), Incr(20, 2, 5)}), "none");
  EXPECT_EQ(BrokenIn({Incr(0, 1, 1), LostIncr(10), Get(20, 2, 4), Incr(30, 3, 5)}), "none");
  EXPECT_NE(BrokenIn({Incr(0, 1, 1), LostIncr(10), Get(20, 2, 4), Incr(30, 4, 5)}), "none");
  EXPECT_NE(BrokenIn({Incr(0, 1, 1), Incr(20, 3, 5)}), "none");
}

TEST(JudgeTest, IncrsOfUnknownOutcomeAreTakenSoThatAllFits) {
  // The one that was read must be the later one: the earlier one counted before version 3.
  EXPECT_EQ(BrokenIn({LostIncr(0), Incr(10, 2, 3), LostIncr(20), Get(30, 3, 4)}), "none");
  // What was read as version 2 came before version 3, so the later one cannot have been it.
  EXPECT_EQ(BrokenIn({LostIncr(0), Incr(10, 2, 3), LostIncr(20), Get(11, 1, 2)}), "none");
}

TEST(JudgeTest, ACounterThatWasLostStartsAnew) {
  EXPECT_EQ(BrokenIn({Incr(0, 1, 1), Incr(10, 2, 2), Incr(20, 1, 5)}, {{12, 22}}), "none");
  EXPECT_NE(BrokenIn({Incr(0, 1, 1), Incr(10, 2, 2), Incr(20, 1, 5)}), "none");
}

TEST(JudgeTest, TheLongestTimeWithoutAnAnswer) {
  const std::vector<ObservedCall> observed = {Set(50, 12, 2), Set(0, 11, 1), LostSet(20, 13),
                                              RefusedSet(30, 14), Get(70, 12, 2)};
  EXPECT_EQ(LongestSilenceNs(observed, {0, 80}), 50);
  EXPECT_EQ(LongestSilenceNs(observed, {0, 200}), 125) << "up to the end";
  EXPECT_EQ(LongestSilenceNs(observed, {-100, 80}), 105) << "and from the begin on";
  EXPECT_EQ(LongestSilenceNs({}, {0, 80}), 80) << "also if nobody was answered at all";
}

TEST(JudgeTest, TheLongestTimeThatSomebodyWaitedForAnAnswer) {
  // Each call takes 5.
  EXPECT_EQ(LongestWaitNs({}, 100), 0);
  EXPECT_EQ(LongestWaitNs({Set(0, 11, 1), Get(90, 11, 1)}, 100), 5) << "nobody asked in between";
  EXPECT_EQ(LongestWaitNs({Set(0, 11, 1), RefusedSet(20, 12), LostSet(30, 13), Get(60, 11, 1)}, 80),
            45);
  EXPECT_EQ(LongestWaitNs({Set(0, 11, 1), LostSet(30, 13)}, 80), 50) << "up to the end";
  EXPECT_EQ(LongestWaitNs({Get(31, 11, 1), LostSet(34, 13)}, 80), 44) << "from the answer on";
  ObservedCall late = Get(20, 11, 1);
  late.call.end_ns = 90;
  EXPECT_EQ(LongestWaitNs({late}, 100), 70);
  EXPECT_EQ(LongestWaitNs({late, Get(40, 11, 1)}, 100), 45) << "another was answered meanwhile";
}

}  // namespace
}  // namespace ferrite
