// The wheel of deadlines against a plain map.

#include "client/pipeline/deadlines.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

#include "client/pipeline/operation_call.h"

namespace ferrite {
namespace {

using std::chrono::milliseconds;
using Get = OperationCall<v1::GetRequest, v1::GetResponse>;

Deadlines::Time At(int64_t ms) { return Deadlines::Time(milliseconds(ms)); }

std::unique_ptr<Get> NewCall() {
  return std::make_unique<Get>(CallTerms(), nullptr, v1::GetRequest(), nullptr);
}

TEST(DeadlinesTest, GivesWhatIsDueAndKeepsTheRest) {
  Deadlines deadlines;
  const auto soon = NewCall();
  const auto later = NewCall();
  const auto rounds_later = NewCall();
  deadlines.Add(soon.get(), At(1010), At(1000));
  deadlines.Add(later.get(), At(1500), At(1000));
  deadlines.Add(rounds_later.get(), At(1010 + 3 * 1024), At(1000));
  EXPECT_EQ(deadlines.Next(), At(1010));
  EXPECT_TRUE(deadlines.TakeDue(At(1009)).empty());
  EXPECT_EQ(deadlines.TakeDue(At(1010)), std::vector<PendingCall*>{soon.get()});
  EXPECT_EQ(deadlines.Next(), At(1500));
  EXPECT_EQ(deadlines.TakeDue(At(3000)), std::vector<PendingCall*>{later.get()});
  EXPECT_EQ(deadlines.TakeDue(At(5000)), std::vector<PendingCall*>{rounds_later.get()});
  EXPECT_TRUE(deadlines.empty());
}

TEST(DeadlinesTest, WhatIsHastenedIsDueAtOnce) {
  Deadlines deadlines;
  const auto call = NewCall();
  deadlines.Add(call.get(), At(9000), At(0));
  deadlines.Hasten(call.get());
  EXPECT_LE(deadlines.Next(), At(0));
  EXPECT_EQ(deadlines.TakeDue(At(0)), std::vector<PendingCall*>{call.get()});
  EXPECT_TRUE(deadlines.empty());
}

TEST(DeadlinesTest, DoesWhatAMapWouldDo) {
  std::mt19937 random(7);
  Deadlines deadlines;
  std::multimap<int64_t, std::unique_ptr<Get>> model;
  int64_t now = 5'000;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 4) {
      case 0:
      case 1: {
        auto call = NewCall();
        const int64_t due = now + 1 + random() % (random() % 8 == 0 ? 5000 : 300);
        deadlines.Add(call.get(), At(due), At(now));
        model.emplace(due, std::move(call));
        break;
      }
      case 2: {
        if (model.empty()) break;
        const auto victim = std::next(model.begin(), random() % std::min<size_t>(model.size(), 9));
        deadlines.Remove(victim->second.get());
        model.erase(victim);
        break;
      }
      default:
        now += random() % 16 == 0 ? random() % 3000 : random() % 10;
        const auto end = model.upper_bound(now);
        ASSERT_EQ(deadlines.TakeDue(At(now)).size(), std::distance(model.begin(), end));
        model.erase(model.begin(), end);
    }
    ASSERT_EQ(deadlines.empty(), model.empty());
    if (!model.empty()) {
      ASSERT_LE(deadlines.Next(), At(model.begin()->first));
    }
  }
  EXPECT_EQ(deadlines.TakeAll().size(), model.size());
}

}  // namespace
}  // namespace ferrite
