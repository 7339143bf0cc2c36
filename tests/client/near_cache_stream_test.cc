// How a near cache uses its subscription: when it may keep entries, and when it may return them.

#include <set>
#include <string>
#include <vector>

#include "tests/client/near_cache_fixture.h"

namespace ferrite {
namespace {

class NearCacheStreamTest : public NearCacheTest {};

TEST_F(NearCacheStreamTest, NothingIsKeptBeforeTheAcknowledgement) {
  NearEntries entries(1 << 20, absl::Milliseconds(100));
  entries.ProbeCameBack(0);
  const auto ignore = [](const auto&) {};
  entries.End(*entries.JoinOrBegin("k", 0, ignore), Found("v", 1));
  EXPECT_FALSE(entries.Find("k", 0).found());
  const std::shared_ptr<ferrite::Fill> before = entries.JoinOrBegin("k", 0, ignore);
  entries.Restart();
  entries.End(*before, Found("v", 1));
  EXPECT_FALSE(entries.Find("k", 0).found()) << "events may have come before the stream stood";
  entries.End(*entries.JoinOrBegin("k", 0, ignore), Found("v", 1));
  EXPECT_TRUE(entries.Find("k", 0).found());
}

TEST_F(NearCacheStreamTest, AGapDropsEverythingAndRefusesWhatIsOnItsWay) {
  for (const bool at_start : {false, true}) {
    Fill("k", Found("v", 1));
    Fill("l", Found("v", 1));
    const auto before = Miss("m");
    at_start ? Acknowledge(false) : Interrupt();
    Answer(before, Found("v", 1));
    EXPECT_EQ(Hit("k"), std::nullopt);
    EXPECT_EQ(Hit("l"), std::nullopt);
    EXPECT_EQ(Hit("m"), std::nullopt);
    Fill("m", Found("v", 1));
    EXPECT_EQ(Hit("m"), "v");
  }
  EXPECT_EQ(entries_.stats().flushes, 3u);
}

TEST_F(NearCacheStreamTest, AfterAGapNobodyJoinsACallFromBefore) {
  const auto before = Miss("k");
  Interrupt();
  EXPECT_NE(Miss("k")->call, nullptr);
  Answer(before, Found("v", 1));
  EXPECT_EQ(before->value(), "v");
}

TEST_F(NearCacheStreamTest, AStreamThatWasResumedHasMissedNothing) {
  Fill("k", Found("v", 1));
  const auto before = Miss("l");
  Acknowledge(true);
  Answer(before, Found("w", 1));
  EXPECT_EQ(Hit("k"), "v");
  EXPECT_EQ(Hit("l"), "w");
}

// Another tenant may publish to the channel. What it sent ahead once vouched, when it came late,
// for a stream that was just as late.
TEST_F(NearCacheStreamTest, AProbeThatWasNotSentFromHereVouchesForNothing) {
  Fill("k", Found("v", 1));
  const auto publish = [&](const std::string& payload) {
    v1::SubscriptionEvent event;
    event.mutable_message()->set_channel("probes");
    event.mutable_message()->set_payload(payload);
    events_.Take(event);
  };
  const int64_t late = 1'000'000'000;
  for (const char* forged : {"1000000000", "", "0"}) publish(forged);
  EXPECT_FALSE(entries_.Find("k", late).found());
  ProbeFrom(late);
  EXPECT_TRUE(entries_.Find("k", late).found());
}

TEST(SentProbes, NoTwoAreAlikeAndTheOldestAreForgotten) {
  SentProbes probes;
  std::vector<std::string> sent;
  for (size_t i = 0; i <= SentProbes::kMost; ++i) {
    sent.push_back(probes.Make(7));
    EXPECT_EQ(probes.SentAt(sent.back()), 7);
  }
  EXPECT_EQ(std::set<std::string>(sent.begin(), sent.end()).size(), sent.size());
  EXPECT_EQ(probes.SentAt(sent[0]), std::nullopt);
  EXPECT_EQ(probes.SentAt(sent[1]), 7);
}

TEST_F(NearCacheStreamTest, WithoutEventsNothingIsKept) {
  Fill("k", Found("v", 1));
  entries_.Stop();
  EXPECT_EQ(Hit("k"), std::nullopt);
  Fill("k", Found("v", 1));
  EXPECT_EQ(Hit("k"), std::nullopt);
}

TEST_F(NearCacheStreamTest, AnEntryIsServedWhileAProbeVouchesForIt) {
  Fill("k", Found("v", 1));
  EXPECT_EQ(Hit("k", 100 * kMs), "v");
  EXPECT_EQ(Hit("k", 100 * kMs + 1), std::nullopt);
  ProbeFrom(30 * kMs);
  EXPECT_EQ(Hit("k", 130 * kMs), "v");
  EXPECT_EQ(Hit("k", 130 * kMs + 1), std::nullopt);
}

TEST_F(NearCacheStreamTest, AProbeThatWasLongUnderWayVouchesForLittle) {
  Fill("k", Found("v", 1));
  ProbeFrom(30 * kMs);
  ProbeFrom(10 * kMs);  // published again by a retry
  EXPECT_EQ(Hit("k", 130 * kMs), "v");
  EXPECT_EQ(Hit("k", 130 * kMs + 1), std::nullopt);
}

TEST_F(NearCacheStreamTest, WhatIsStaleIsServedAgainWhenAProbeHasComeBack) {
  Fill("k", Found("v", 1));
  EXPECT_EQ(Hit("k", 500 * kMs), std::nullopt);
  EXPECT_NE(Miss("k", 500 * kMs)->call, nullptr);
  EXPECT_EQ(entries_.stats().stale, 1u);
  ProbeFrom(450 * kMs);
  EXPECT_EQ(Hit("k", 500 * kMs), "v");
}

TEST_F(NearCacheStreamTest, WithoutAProbeNothingIsServed) {
  NearEntries entries(1 << 20, absl::Milliseconds(100));
  entries.Restart();
  entries.End(*entries.JoinOrBegin("k", 0, [](const auto&) {}), Found("v", 1));
  EXPECT_FALSE(entries.Find("k", 0).found());
}

TEST_F(NearCacheStreamTest, OnlyMessagesOfItsOwnChannelAreProbes) {
  Fill("k", Found("v", 1));
  ProbeFrom(50 * kMs, "another");
  EXPECT_EQ(Hit("k", 101 * kMs), std::nullopt);
  v1::SubscriptionEvent event;
  event.mutable_message()->set_channel("probes");
  event.mutable_message()->set_payload("not a time");
  events_.Take(event);
  EXPECT_EQ(Hit("k", 101 * kMs), std::nullopt);
}

TEST_F(NearCacheStreamTest, AnAcknowledgementAsksForAProbe) {
  EXPECT_EQ(probes_wanted_, 1);
  Acknowledge(true);
  EXPECT_EQ(probes_wanted_, 2);
}

TEST_F(NearCacheStreamTest, AHeartbeatVouchesForNothing) {
  Fill("k", Found("v", 1));
  v1::SubscriptionEvent event;
  event.mutable_heartbeat();
  events_.Take(event);
  EXPECT_EQ(Hit("k", 100 * kMs), "v");
  EXPECT_EQ(Hit("k", 100 * kMs + 1), std::nullopt);
}

}  // namespace
}  // namespace ferrite
