// The judge of histories must itself be judged: faults planted by hand, histories that look odd and
// are right, and thousands of small ones compared with a search through every order.

#include "tests/store/linearizability.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

namespace ferrite {
namespace {

using testing::HasSubstr;

// A history is written as calls with their times: Set(11, 1).At(0, 5) stored value 11 as version 1.
struct TimedCall : RecordedCall {
  TimedCall At(int64_t begin, int64_t end) const {
    TimedCall call = *this;
    call.begin_ns = begin;
    call.end_ns = end;
    return call;
  }
  TimedCall Previous(uint64_t version) const {
    TimedCall call = *this;
    call.previous = version;
    return call;
  }
};

TimedCall Make(CallKind kind, bool done, uint64_t value, uint64_t version, uint64_t argument = 0) {
  TimedCall call;
  call.kind = kind;
  call.done = done;
  call.value = value;
  call.version = version;
  call.argument = argument;
  return call;
}
TimedCall Get(uint64_t value, uint64_t version) {
  return Make(CallKind::kGet, true, value, version);
}
TimedCall Miss() { return Make(CallKind::kGet, false, 0, 0); }
TimedCall Exists() { return Make(CallKind::kExists, true, 0, 0); }
TimedCall ExistsNot() { return Make(CallKind::kExists, false, 0, 0); }
TimedCall Set(uint64_t value, uint64_t version) {
  return Make(CallKind::kSet, true, value, version);
}
TimedCall SetIfAbsent(uint64_t value, uint64_t version) {
  return Make(CallKind::kSetIfAbsent, true, value, version);
}
TimedCall RefusedIfAbsent(uint64_t standing) {
  return Make(CallKind::kSetIfAbsent, false, 0, standing);
}
TimedCall SetIfPresent(uint64_t value, uint64_t version) {
  return Make(CallKind::kSetIfPresent, true, value, version);
}
TimedCall RefusedIfPresent() { return Make(CallKind::kSetIfPresent, false, 0, 0); }
TimedCall SetIfVersion(uint64_t asked, uint64_t value, uint64_t version) {
  return Make(CallKind::kSetIfVersion, true, value, version, asked);
}
TimedCall RefusedIfVersion(uint64_t asked, uint64_t standing) {
  return Make(CallKind::kSetIfVersion, false, 0, standing, asked);
}
TimedCall Incr(int64_t delta, uint64_t value, uint64_t version) {
  return Make(CallKind::kIncr, true, value, version, static_cast<uint64_t>(delta));
}
TimedCall Delete(uint64_t version) { return Make(CallKind::kDelete, true, 0, version); }
TimedCall DeleteNothing() { return Make(CallKind::kDelete, false, 0, 0); }

std::string FaultOf(const std::vector<TimedCall>& calls, const Allowances& allowances = {}) {
  return FindFault({calls.begin(), calls.end()}, allowances).value_or("none");
}

TEST(LinearizabilityTest, OneCallAfterTheOther) {
  EXPECT_EQ(FaultOf({}), "none");
  EXPECT_EQ(FaultOf({Miss().At(0, 1), Set(11, 1).At(2, 3), Get(11, 1).At(4, 5), Delete(1).At(6, 7),
                     Miss().At(8, 9), DeleteNothing().At(10, 11), SetIfAbsent(12, 5).At(12, 13),
                     RefusedIfAbsent(5).At(14, 15), SetIfVersion(5, 13, 6).At(16, 17),
                     RefusedIfVersion(5, 6).At(18, 19), SetIfPresent(14, 7).Previous(6).At(20, 21),
                     Exists().At(22, 23)}),
            "none");
  EXPECT_EQ(FaultOf({Incr(2, 2, 1).At(0, 1), Incr(3, 5, 2).At(2, 3), Get(5, 2).At(4, 5)}), "none");
}

TEST(LinearizabilityTest, CallsThatOverlapMayHaveComeInAnyOrder) {
  // Both values are seen while both sets are under way; the reader that ends last began first.
  EXPECT_EQ(FaultOf({Set(11, 1).At(0, 10), Set(12, 2).At(0, 10), Get(12, 2).At(3, 12),
                     Get(11, 1).At(2, 9), Miss().At(0, 20)}),
            "none");
  // A read sees a set that ends later, and a delete that ends earlier was yet to come.
  EXPECT_EQ(FaultOf({Set(11, 1).At(0, 100), Get(11, 1).At(1, 50), Delete(1).At(2, 40),
                     Miss().At(41, 60)}),
            "none");
  // Absent twice: a miss may lie in either gap.
  EXPECT_EQ(FaultOf({Set(11, 1).At(0, 1), Delete(1).At(2, 9), Set(12, 2).At(3, 10), Miss().At(4, 8),
                     ExistsNot().At(4, 8), Exists().At(4, 8)}),
            "none");
  // Ends that touch count as overlap.
  EXPECT_EQ(FaultOf({Set(11, 1).At(0, 5), Miss().At(5, 6)}), "none");
}

TEST(LinearizabilityTest, FindsAStaleRead) {
  EXPECT_THAT(FaultOf({Set(11, 1).At(0, 1), Set(12, 2).At(2, 3), Get(11, 1).At(4, 5)}),
              HasSubstr("Get (done) value 11 version 1 [4, 5]"));
  EXPECT_THAT(FaultOf({Set(11, 1).At(0, 1), Miss().At(2, 3)}), HasSubstr("fits nowhere"));
  EXPECT_THAT(FaultOf({Set(11, 1).At(0, 1), ExistsNot().At(2, 3)}), HasSubstr("fits nowhere"));
}

TEST(LinearizabilityTest, FindsThatTwoReadersDisagree) {
  // While the set is under way one reader has seen it, and a later one has not.
  EXPECT_NE(FaultOf({Set(11, 1).At(0, 1), Set(12, 2).At(2, 20), Get(12, 2).At(3, 4),
                     Get(11, 1).At(5, 6)}),
            "none");
}

TEST(LinearizabilityTest, FindsAReadFromTheFuture) {
  EXPECT_NE(FaultOf({Get(11, 1).At(0, 1), Set(11, 1).At(2, 3)}), "none");
  EXPECT_NE(FaultOf({Exists().At(0, 1), Set(11, 1).At(2, 3)}), "none");
}

TEST(LinearizabilityTest, FindsATornOrForeignValue) {
  EXPECT_THAT(FaultOf({Set(11, 1).At(0, 1), Get(12, 1).At(2, 3)}), HasSubstr("another value"));
  EXPECT_THAT(FaultOf({Set(11, 1).At(0, 1), Get(11, 7).At(2, 3)}), HasSubstr("nobody wrote"));
}

TEST(LinearizabilityTest, FindsALostIncr) {
  // Both read 0 and both wrote 1.
  EXPECT_THAT(FaultOf({Incr(1, 1, 1).At(0, 10), Incr(1, 1, 2).At(0, 10)}), HasSubstr("Incr"));
  EXPECT_THAT(FaultOf({Set(5, 1).At(0, 1), Incr(1, 1, 2).At(2, 3)}), HasSubstr("Incr"));
}

TEST(LinearizabilityTest, FindsWhatWasDeletedAndCameBack) {
  EXPECT_THAT(FaultOf({Set(11, 1).At(0, 1), Delete(1).At(2, 3), Get(11, 1).At(4, 5)}),
              HasSubstr("was deleted"));
  // Between the delete and the next set nothing is there.
  EXPECT_NE(
      FaultOf({Set(11, 1).At(0, 1), Delete(1).At(2, 3), Set(12, 2).At(4, 20), Get(11, 1).At(5, 6)}),
      "none");
  EXPECT_NE(FaultOf({Set(11, 1).At(0, 1), Delete(1).At(2, 3), Delete(1).At(2, 3)}), "none");
  EXPECT_NE(FaultOf({Set(11, 1).At(0, 1), DeleteNothing().At(2, 3)}), "none");
}

TEST(LinearizabilityTest, FindsAConditionThatWasBroken) {
  EXPECT_NE(FaultOf({SetIfAbsent(11, 1).At(0, 10), SetIfAbsent(12, 2).At(0, 10)}), "none");
  EXPECT_EQ(
      FaultOf({SetIfAbsent(11, 1).At(0, 10), SetIfAbsent(12, 2).At(0, 10), Delete(1).At(0, 10)}),
      "none");
  EXPECT_NE(FaultOf({Set(10, 1).At(0, 1), SetIfVersion(1, 11, 2).At(2, 9),
                     SetIfVersion(1, 12, 3).At(2, 9)}),
            "none");
  EXPECT_NE(FaultOf({SetIfPresent(11, 1).At(0, 1)}), "none");
  EXPECT_NE(FaultOf({Set(10, 1).At(0, 1), RefusedIfVersion(1, 1).At(2, 3)}), "none");
  EXPECT_NE(FaultOf({RefusedIfAbsent(1).At(0, 1), Set(10, 1).At(2, 3)}), "none");
  EXPECT_NE(FaultOf({Set(10, 1).At(0, 1), RefusedIfPresent().At(2, 3)}), "none");
  EXPECT_NE(FaultOf({Set(10, 1).At(0, 1), Set(11, 2).Previous(0).At(2, 3)}), "none");
}

TEST(LinearizabilityTest, FindsAVersionThatGoesBack) {
  EXPECT_NE(FaultOf({Set(11, 2).At(0, 1), Set(12, 1).At(2, 3)}), "none");
  EXPECT_NE(FaultOf({Set(11, 2).At(0, 1), Delete(2).At(2, 3), Set(12, 1).At(4, 5)}), "none");
  EXPECT_NE(FaultOf({Set(11, 2).At(0, 1), Set(12, 2).At(2, 3)}), "none");
}

TEST(LinearizabilityTest, AKeyMayBeForgottenWhenThatIsAllowed) {
  const std::vector<TimedCall> forgotten = {Set(11, 1).At(0, 1), Get(11, 1).At(2, 3),
                                            Miss().At(6, 7), Set(12, 2).At(8, 9)};
  EXPECT_THAT(FaultOf(forgotten), HasSubstr("fits nowhere"));
  EXPECT_EQ(FaultOf(forgotten, {.losses = {{3, 6}}}), "none");
  EXPECT_EQ(FaultOf(forgotten, {.losses = {{0, 1}, {7, 9}}}), "none");
  // Before the value was read, and after it was missed.
  EXPECT_NE(FaultOf(forgotten, {.losses = {{0, 1}, {8, 9}}}), "none");
}

TEST(LinearizabilityTest, WhatWasForgottenMustNotComeBack) {
  EXPECT_THAT(
      FaultOf({Set(11, 1).At(0, 1), Miss().At(2, 3), Get(11, 1).At(4, 5)}, {.losses = {{0, 9}}}),
      HasSubstr("was deleted"));
  EXPECT_NE(FaultOf({Set(11, 1).At(0, 1), Set(12, 2).At(2, 3), Get(11, 1).At(4, 5)},
                    {.losses = {{0, 9}}}),
            "none");
  EXPECT_NE(
      FaultOf({Set(11, 2).At(0, 1), Miss().At(2, 3), Set(12, 1).At(4, 5)}, {.losses = {{0, 9}}}),
      "none");
  EXPECT_NE(
      FaultOf({Set(11, 1).At(0, 1), Miss().At(2, 3), Delete(1).At(4, 5)}, {.losses = {{0, 9}}}),
      "none");
}

TEST(LinearizabilityTest, ACounterThatWasForgottenStartsAnew) {
  const std::vector<TimedCall> anew = {Incr(1, 1, 1).At(0, 1), Incr(1, 2, 2).At(2, 3),
                                       Incr(1, 1, 3).At(4, 5)};
  EXPECT_NE(FaultOf(anew), "none");
  EXPECT_EQ(FaultOf(anew, {.losses = {{3, 4}}}), "none");
  EXPECT_NE(FaultOf(anew, {.losses = {{0, 1}}}), "none");
}

TEST(LinearizabilityTest, IncrsWhoseOutcomeIsUnknownCountOnceOrNot) {
  const std::vector<TimedCall> ahead = {Incr(1, 1, 1).At(0, 1), Incr(1, 3, 3).At(4, 5)};
  EXPECT_NE(FaultOf(ahead), "none");
  EXPECT_EQ(FaultOf(ahead, {.losses = {}, .unknown_incrs = {2}}), "none");
  EXPECT_EQ(FaultOf({Incr(1, 1, 1).At(0, 1), Incr(1, 2, 2).At(4, 5)},
                    {.losses = {}, .unknown_incrs = {2}}),
            "none");
  // It began too late; or it would have to count twice.
  EXPECT_NE(FaultOf(ahead, {.losses = {}, .unknown_incrs = {6}}), "none");
  EXPECT_NE(FaultOf({Incr(1, 1, 1).At(0, 1), Incr(1, 3, 3).At(4, 5), Incr(1, 5, 5).At(6, 7)},
                    {.losses = {}, .unknown_incrs = {2}}),
            "none");
}

// Wing and Gong: try every order, remember which sets of calls led to which states.
class Search {
 public:
  Search(std::vector<RecordedCall> calls, Allowances allowances)
      : calls_(std::move(calls)), allowances_(std::move(allowances)) {}
  bool Finds() { return From(0, {}); }

 private:
  struct State {
    bool present = false;
    uint64_t value = 0;
    uint64_t version = 0;
    // The last change is one that nobody was told of, so its version is not known.
    bool hidden = false;
    int64_t now_ns = 0;
    uint32_t counted = 0;  // which unknown Incrs

    auto Members() const { return std::tie(present, value, version, hidden, now_ns, counted); }
    bool operator<(const State& other) const { return Members() < other.Members(); }
  };

  bool From(uint32_t placed, State state) {
    if (placed == (1u << calls_.size()) - 1) return true;
    if (!seen_.emplace(placed, state).second) return false;
    int64_t horizon = INT64_MAX;
    for (size_t i = 0; i < calls_.size(); ++i) {
      if ((placed >> i & 1) == 0) horizon = std::min(horizon, calls_[i].end_ns);
    }
    for (size_t i = 0; i < calls_.size(); ++i) {
      if ((placed >> i & 1) != 0 || calls_[i].begin_ns > horizon) continue;
      State next = state;
      next.now_ns = std::max(state.now_ns, calls_[i].begin_ns);
      if (Answers(calls_[i], &next) && From(placed | 1u << i, next)) return true;
    }
    for (const auto& [first_ns, last_ns] : allowances_.losses) {
      State next = state;
      next.now_ns = std::max(state.now_ns, first_ns);
      next.present = next.hidden = false;
      if (next.now_ns <= std::min(last_ns, horizon) && From(placed, next)) return true;
    }
    for (size_t i = 0; i < allowances_.unknown_incrs.size(); ++i) {
      if ((state.counted >> i & 1) != 0 || allowances_.unknown_incrs[i] > horizon) continue;
      State next = state;
      next.now_ns = std::max(state.now_ns, allowances_.unknown_incrs[i]);
      next.counted |= 1u << i;
      next.value = (state.present ? state.value : 0) + 1;
      next.present = next.hidden = true;
      if (From(placed, next)) return true;
    }
    return false;
  }

  // Whether a key in this state would have answered so; moves on to the next state.
  static bool Answers(const RecordedCall& call, State* state) {
    const uint64_t standing = state->hidden ? kUnknown : state->present ? state->version : 0;
    bool holds = true;
    switch (call.kind) {
      case CallKind::kGet:
      case CallKind::kTouch:
        return call.done == state->present && call.version == standing &&
               (!call.done || call.kind == CallKind::kTouch || call.value == state->value);
      case CallKind::kExists:
        return call.done == state->present;
      case CallKind::kDelete:
        if (call.done != state->present || call.version != standing) return false;
        state->present = state->hidden = false;
        return true;
      case CallKind::kSetIfAbsent:
        holds = !state->present;
        break;
      case CallKind::kSetIfPresent:
        holds = state->present;
        break;
      case CallKind::kSetIfVersion:
        holds = state->present && standing == call.argument;
        break;
      case CallKind::kIncr:
        if (call.value != (state->present ? state->value : 0) + call.argument) return false;
        break;
      case CallKind::kSet:
        break;
    }
    if (holds != call.done) return false;
    if (!holds) return call.version == standing;
    if (call.version <= state->version) return false;
    if (call.previous.has_value() && *call.previous != standing) return false;
    state->present = true;
    state->hidden = false;
    state->value = call.value;
    state->version = call.version;
    return true;
  }

  static constexpr uint64_t kUnknown = 999;

  const std::vector<RecordedCall> calls_;
  const Allowances allowances_;
  std::set<std::tuple<uint32_t, State>> seen_;
};

// A short history: calls of a right order with times around it, then perhaps one answer changed.
class RandomHistory {
 public:
  RandomHistory(uint32_t seed, bool forgets) : random_(seed), forgets_(forgets) {}

  std::vector<RecordedCall> Next() {
    std::vector<RecordedCall> calls;
    bool present = false;
    uint64_t value = 0;
    uint64_t version = 0;
    for (int64_t at = 0, end = 3 + Below(6); at < end; ++at) {
      RecordedCall call;
      call.kind = static_cast<CallKind>(Below(9));
      if (forgets_ && (call.kind == CallKind::kExists || call.kind == CallKind::kSetIfPresent)) {
        call.kind = CallKind::kGet;
      }
      const uint64_t standing = present ? version : 0;
      call.argument = call.kind == CallKind::kSetIfVersion ? (Below(2) != 0 ? standing : Below(5))
                      : call.kind == CallKind::kIncr       ? Below(3)
                                                           : 0;
      call.version = call.kind == CallKind::kExists ? 0 : standing;
      call.done = call.kind == CallKind::kSetIfAbsent    ? !present
                  : call.kind == CallKind::kSetIfVersion ? present && call.argument == standing
                  : call.kind < CallKind::kSet || call.kind == CallKind::kDelete ||
                          call.kind == CallKind::kSetIfPresent
                      ? present
                      : true;
      if (call.kind == CallKind::kGet) call.value = present ? value : 0;
      if (call.done && call.kind >= CallKind::kSet) {
        if (call.kind == CallKind::kDelete) {
          present = false;
        } else {
          value = call.kind == CallKind::kIncr ? (present ? value : 0) + call.argument
                                               : 10 + static_cast<uint64_t>(at);
          if (Below(3) == 0 && call.kind != CallKind::kIncr) call.previous = standing;
          version += 1 + Below(2);
          present = true;
          call.value = value;
          call.version = version;
        }
      }
      call.begin_ns = std::max<int64_t>(0, at * 10 - Below(30));
      call.end_ns = at * 10 + Below(30);
      calls.push_back(call);
      if (!forgets_) continue;
      if (Below(8) == 0) present = false;
      if (present && Below(12) == 0) ++value;  // nobody was told
    }
    if (Below(3) != 0) Spoil(&calls[Below(static_cast<uint32_t>(calls.size()))]);
    std::shuffle(calls.begin(), calls.end(), random_);
    return calls;
  }

  // What may have happened besides: nothing, often.
  Allowances NextAllowances() {
    Allowances allowances;
    if (!forgets_) return allowances;
    for (uint32_t i = Below(3); i > 0; --i) {
      const int64_t first = Below(80);
      allowances.losses.emplace_back(first, first + Below(30));
    }
    for (uint32_t i = Below(3); i > 0; --i) allowances.unknown_incrs.push_back(Below(80));
    return allowances;
  }

 private:
  uint32_t Below(uint32_t bound) { return random_() % bound; }

  void Spoil(RecordedCall* call) {
    switch (Below(5)) {
      case 0:
        call->begin_ns = call->end_ns;
        break;
      case 1:
        call->end_ns = call->begin_ns;
        break;
      case 2:
        if (call->kind != CallKind::kExists) call->version = Below(6);
        break;
      case 3:
        call->value = 10 + Below(8);
        break;
      default:
        call->done = !call->done;
    }
  }

  std::mt19937 random_;
  const bool forgets_;
};

// How many of these histories are right.
int CompareWithSearch(uint32_t seed, bool forgets) {
  RandomHistory histories(seed, forgets);
  int right = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::vector<RecordedCall> calls = histories.Next();
    const Allowances allowances = histories.NextAllowances();
    const bool expected = Search(calls, allowances).Finds();
    right += expected;
    std::string text;
    for (const RecordedCall& call : calls) text += call.ToString() + "\n";
    for (const auto& [first, last] : allowances.losses) {
      text += "may be forgotten [" + std::to_string(first) + ", " + std::to_string(last) + "]\n";
    }
    for (const int64_t begin : allowances.unknown_incrs) {
      text += "may have counted from " + std::to_string(begin) + "\n";
    }
    const std::optional<std::string> fault = FindFault(calls, allowances);
    EXPECT_EQ(!fault.has_value(), expected) << fault.value_or("none") << "\n" << text;
    if (fault.has_value() == expected) break;
  }
  return right;
}

TEST(LinearizabilityTest, AgreesWithASearchThroughAllOrders) {
  const int right = CompareWithSearch(7, /*forgets=*/false);
  EXPECT_GT(right, 20'000);
  EXPECT_LT(right, 80'000);
}

TEST(LinearizabilityTest, AgreesWithASearchThroughAllOrdersAndLosses) {
  const int right = CompareWithSearch(8, /*forgets=*/true);
  EXPECT_GT(right, 20'000);
  EXPECT_LT(right, 80'000);
}

}  // namespace
}  // namespace ferrite
