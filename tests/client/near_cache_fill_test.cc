// Which of the server's answers a near cache keeps, and which it must refuse.

#include <thread>

#include "tests/client/near_cache_fixture.h"

namespace ferrite {
namespace {

constexpr v1::KeyEventKind kWrites[] = {v1::KEY_EVENT_KIND_SET, v1::KEY_EVENT_KIND_INCR};
constexpr v1::KeyEventKind kEnds[] = {v1::KEY_EVENT_KIND_DELETE, v1::KEY_EVENT_KIND_EXPIRE,
                                      v1::KEY_EVENT_KIND_EVICT, v1::KEY_EVENT_KIND_UNSPECIFIED};

class NearCacheFillTest : public NearCacheTest {};

TEST_F(NearCacheFillTest, AnAnswerIsKept) {
  const auto read = Miss("k");
  EXPECT_FALSE(read->outcome.has_value());
  Answer(read, Found("v", 7));
  EXPECT_EQ(read->value(), "v");
  EXPECT_EQ((*read->outcome)->version(), 7u);
  EXPECT_EQ(Hit("k"), "v");
  EXPECT_EQ(Hit("other"), std::nullopt);
}

TEST_F(NearCacheFillTest, EmptyValuesAndAnyBytesAreKept) {
  const std::string key("\0k\xff", 3);
  Fill(key, Found("", 1));
  EXPECT_EQ(Hit(key), "");
  EXPECT_EQ(Hit(key.substr(0, 2)), std::nullopt);
}

TEST_F(NearCacheFillTest, AMissOfTheServerIsAnsweredAndNotKept) {
  const auto read = Miss("k");
  Answer(read, NotFound());
  EXPECT_FALSE((*read->outcome)->found());
  EXPECT_NE(Miss("k")->call, nullptr);
}

TEST_F(NearCacheFillTest, AFailureGoesToAllWhoWaitAndIsNotKept) {
  const auto first = Miss("k");
  const auto second = Miss("k");
  Answer(first, absl::UnavailableError("down"));
  EXPECT_TRUE(absl::IsUnavailable(first->outcome->status()));
  EXPECT_TRUE(absl::IsUnavailable(second->outcome->status()));
  EXPECT_NE(Miss("k")->call, nullptr);
}

TEST_F(NearCacheFillTest, MissesAtTheSameTimeShareOneCall) {
  const auto first = Miss("k");
  const auto second = Miss("k", 100 * kMs);
  EXPECT_EQ(second->call, nullptr);
  EXPECT_NE(Miss("another")->call, nullptr);
  Answer(first, Found("v", 1));
  EXPECT_EQ(first->value(), "v");
  EXPECT_EQ(second->value(), "v");
  EXPECT_EQ(entries_.stats().joined, 1u);
}

TEST_F(NearCacheFillTest, NobodyJoinsACallThatIsOlderThanTheBound) {
  const auto old = Miss("k");
  const auto young = Miss("k", 100 * kMs + 1);
  ASSERT_NE(young->call, nullptr);
  Answer(young, Found("new", 2));
  Answer(old, Found("old", 1));
  EXPECT_EQ(old->value(), "old");
  EXPECT_EQ(Hit("k"), "new");
}

TEST_F(NearCacheFillTest, NobodyJoinsACallThatAnEventHasOvertaken) {
  const auto overtaken = Miss("k");
  Tell(v1::KEY_EVENT_KIND_SET, "k", 5);
  const auto next = Miss("k");
  ASSERT_NE(next->call, nullptr);
  Answer(next, Found("new", 5));
  Answer(overtaken, Found("old", 4));
  EXPECT_EQ(Hit("k"), "new");
}

TEST_F(NearCacheFillTest, AnEventDropsWhatIsOlder) {
  for (const v1::KeyEventKind kind : kWrites) {
    Fill("k", Found("v", 7));
    Tell(kind, "k", 7);
    EXPECT_EQ(Hit("k"), "v") << "the event of the very write that was read";
    Tell(kind, "k", 8);
    EXPECT_EQ(Hit("k"), std::nullopt);
  }
  for (const v1::KeyEventKind kind : kEnds) {
    Fill("k", Found("v", 7));
    Tell(kind, "k", 6);
    EXPECT_EQ(Hit("k"), "v") << "the end of an entry before this one";
    Tell(kind, "k", 7);
    EXPECT_EQ(Hit("k"), std::nullopt);
  }
}

TEST_F(NearCacheFillTest, AWriteThatOvertookAnAnswerHasItRefused) {
  for (const v1::KeyEventKind kind : kWrites) {
    const auto read = Miss("k");
    Tell(kind, "k", 8);
    Answer(read, Found("old", 7));
    EXPECT_EQ(read->value(), "old");
    EXPECT_EQ(Hit("k"), std::nullopt);
  }
  EXPECT_EQ(entries_.stats().refusals, 2u);
}

TEST_F(NearCacheFillTest, ADeletionThatOvertookAnAnswerHasItRefused) {
  for (const v1::KeyEventKind kind : kEnds) {
    const auto read = Miss("k");
    Tell(kind, "k", 7);
    Answer(read, Found("gone", 7));
    EXPECT_EQ(Hit("k"), std::nullopt) << kind;
  }
}

TEST_F(NearCacheFillTest, AnAnswerThatKnowsOfTheEventIsKept) {
  const auto of_write = Miss("k");
  Tell(v1::KEY_EVENT_KIND_SET, "k", 7);
  Answer(of_write, Found("v", 7));
  EXPECT_EQ(Hit("k"), "v");
  const auto after_deletion = Miss("other");
  Tell(v1::KEY_EVENT_KIND_DELETE, "other", 7);
  Answer(after_deletion, Found("v", 8));
  EXPECT_EQ(Hit("other"), "v");
}

TEST_F(NearCacheFillTest, TheHighestOfManyEventsCounts) {
  const auto read = Miss("k");
  Tell(v1::KEY_EVENT_KIND_SET, "k", 7);
  Tell(v1::KEY_EVENT_KIND_DELETE, "k", 7);
  Answer(read, Found("gone", 7));
  EXPECT_EQ(Hit("k"), std::nullopt);
}

TEST_F(NearCacheFillTest, EventsOfOtherKeysChangeNothing) {
  const auto read = Miss("k");
  Tell(v1::KEY_EVENT_KIND_DELETE, "k2", 100);
  Answer(read, Found("v", 7));
  EXPECT_EQ(Hit("k"), "v");
}

TEST_F(NearCacheFillTest, InvalidateDropsTheEntryAndRefusesWhatIsOnItsWay) {
  Fill("k", Found("v", 7));
  entries_.Invalidate("k");
  EXPECT_EQ(Hit("k"), std::nullopt);
  const auto before = Miss("k");
  entries_.Invalidate("k");
  const auto after = Miss("k");
  ASSERT_NE(after->call, nullptr);
  Answer(before, Found("v", 7));
  EXPECT_EQ(before->value(), "v");
  EXPECT_EQ(Hit("k"), std::nullopt);
  Answer(after, Found("w", 8));
  EXPECT_EQ(Hit("k"), "w");
}

// Two calls of one key are under way, and the server executes the later one first.
TEST_F(NearCacheFillTest, ReadsDoNotGoBackWhenCallsOvertakeEachOther) {
  const auto first = Miss("k");
  const auto second = Miss("k", 101 * kMs);
  Answer(first, Found("new", 8));
  EXPECT_NE(Miss("k", 102 * kMs)->call, nullptr) << "what the second brings may be older";
  Answer(second, Found("old", 7));
  EXPECT_EQ(Hit("k"), std::nullopt);
}

TEST_F(NearCacheFillTest, ReadsDoNotGoBackBehindAMiss) {
  const auto first = Miss("k");
  const auto second = Miss("k", 101 * kMs);
  Answer(first, NotFound());
  EXPECT_NE(Miss("k", 102 * kMs)->call, nullptr);
  Answer(second, Found("gone", 7));
  EXPECT_EQ(Hit("k"), std::nullopt);
}

TEST_F(NearCacheFillTest, AnAnswerDropsAnOlderEntry) {
  Fill("k", Found("old", 7));
  Fill("k", NotFound());
  EXPECT_EQ(Hit("k"), std::nullopt);
  Fill("k", Found("old", 7));
  Fill("k", Found("new", 8));
  EXPECT_EQ(Hit("k"), "new");
}

TEST_F(NearCacheFillTest, AnEntryIsServedUntilItsTimeToLiveIsOver) {
  Fill("k", Found("v", 1, 50), 10 * kMs);
  EXPECT_EQ(Hit("k", 60 * kMs - 1), "v");
  EXPECT_EQ(Hit("k", 60 * kMs), std::nullopt);
  Fill("k", Found("v", 1, 80), 15 * kMs);  // another client extended the entry's time to live
  EXPECT_EQ(Hit("k", 95 * kMs - 1), "v");
  Fill("forever", Found("v", 1, std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(Hit("forever", 100 * kMs), "v");
}

TEST_F(NearCacheFillTest, WhatIsHeldStaysWhenTheCacheDropsIt) {
  Fill("k", Found("v", 1));
  NearEntry held = entries_.Find("k", 0);
  NearEntry copy = held;
  NearEntry again = entries_.Find("k", 0);
  Tell(v1::KEY_EVENT_KIND_DELETE, "k", 1);
  held = NearEntry();
  EXPECT_EQ(copy.value(), "v");
  copy = NearEntry();
  EXPECT_EQ(again.value(), "v");
}

TEST_F(NearCacheFillTest, SharesMayBeGivenBackAnywhere) {
  Fill("k", Found("v", 1));
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const NearEntry entry = entries_.Find("k", 0);
        const NearEntry copy = entry;  // NOLINT(performance-unnecessary-copy-initialization)
        EXPECT_EQ(copy.value(), entry.found() ? "v" : "");
        if (i % 100 == 0) Tell(v1::KEY_EVENT_KIND_DELETE, "k", 1);
        if (i % 100 != 50) continue;
        const auto read = Miss("k");  // may join another thread's call
        if (read->call != nullptr) entries_.End(*read->call, Found("v", 1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ferrite
