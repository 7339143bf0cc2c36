// Who is cut, and who is not.

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "server/guard/frame_budget.h"
#include "server/guard/frame_guard.h"
#include "server/guard/guarded_connection.h"
#include "server/guard/peer_text.h"
#include "server/guard/read_turn.h"
#include "tests/server/http2_bytes.h"

namespace ferrite {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1000 * kSecond;
// What gRPC keeps of a stream.
constexpr int64_t kStreamBytes = 13 << 10;

constexpr size_t Index(CutReason reason) { return static_cast<size_t>(reason); }

class ReadTurnTest : public testing::Test {
 protected:
  // Reads as much as it may, of a client whose streams take so many bytes each, until it has to
  // wait. Returns how many streams that were.
  int64_t ReadAll(uint64_t number, size_t stream_bytes) {
    int64_t streams = 0;
    while (const size_t bytes = turn_.Allowance(number, kStreams, 0, limits_)) {
      EXPECT_LE(bytes, limits_.read_bytes);
      const auto more = static_cast<int64_t>(bytes / stream_bytes);
      turn_.Add(bytes, more);
      streams += more;
      if (streams > 100'000) break;
    }
    return streams;
  }
  static constexpr int64_t kStreams = 64;
  const FrameLimits limits_;
  ReadTurn turn_;
};

TEST_F(ReadTurnTest, EndsAfterSoManyStreams) {
  constexpr size_t kStreamBytes = 28;
  // Nothing is known of it at first.
  EXPECT_LE(ReadAll(1, kStreamBytes), 5 * kStreams);
  EXPECT_EQ(ReadAll(1, kStreamBytes), 0);
  for (uint64_t turn = 2; turn < 100; ++turn) EXPECT_EQ(ReadAll(turn, kStreamBytes), kStreams);
}

TEST_F(ReadTurnTest, WhoBeganNoneForLongDoesNotExceedItByMuch) {
  for (int i = 0; i < 1'000; ++i) turn_.Add(100, 0);
  EXPECT_LE(ReadAll(1, 28), 10 * kStreams);
}

TEST_F(ReadTurnTest, WhatBeginsNoStreamIsReadAtOnce) {
  EXPECT_GT(ReadAll(1, 28), 0);
  const size_t allowance = turn_.Allowance(2, kStreams, 0, limits_);
  EXPECT_EQ(turn_.Allowance(2, kStreams, 10'000, limits_), allowance + 10'000);
  EXPECT_EQ(turn_.Allowance(2, kStreams, 1'000'000, limits_), limits_.read_bytes);
  for (uint64_t turn = 3; turn < 10; ++turn) {
    while (turn_.Allowance(turn, kStreams, 0, limits_) > 0) turn_.Add(28, 1);
    EXPECT_EQ(turn_.Allowance(turn, kStreams, 1'000, limits_), 0u)
        << "but not before the next turn";
  }
}

TEST(TokenBucketTest, GivesABurstAndThenARate) {
  const FrameRate rate = {.burst = 10, .per_second = 100};
  TokenBucket bucket;
  EXPECT_FALSE(bucket.Take(rate, kStart, 11));
  EXPECT_TRUE(bucket.Take(rate, kStart, 10));
  EXPECT_FALSE(bucket.Take(rate, kStart, 1));
  EXPECT_TRUE(bucket.Take(rate, kStart + kSecond / 100, 1));
  EXPECT_FALSE(bucket.Take(rate, kStart + kSecond / 100, 1));
  // However long nothing comes, no more than a burst.
  EXPECT_TRUE(bucket.Take(rate, kStart + 60 * kSecond, 10));
  EXPECT_FALSE(bucket.Take(rate, kStart + 60 * kSecond, 1));
}

TEST(TokenBucketTest, TheSharedOneIsTheSame) {
  const FrameRate rate = {.burst = 10, .per_second = 100};
  SharedTokenBucket bucket;
  EXPECT_TRUE(bucket.Take(rate, kStart, 10));
  EXPECT_FALSE(bucket.Take(rate, kStart, 1));
  EXPECT_TRUE(bucket.Take(rate, kStart + kSecond / 100, 1));
}

TEST(RecentCountTest, ForgetsAfterTwoSeconds) {
  RecentCount recent;
  EXPECT_EQ(recent.Add(kStart, 5), 5);
  EXPECT_EQ(recent.Add(kStart + kSecond / 2, 5), 10);
  EXPECT_EQ(recent.Add(kStart + kSecond, 1), 11);
  EXPECT_EQ(recent.Add(kStart + 2 * kSecond, 1), 2);
  EXPECT_EQ(recent.Add(kStart + 9 * kSecond, 1), 1);
}

class FrameBudgetTest : public testing::Test {
 protected:
  std::optional<CutReason> Charge(FrameBudget* budget, CutReason kind, int64_t count,
                                  size_t connections = 1, int64_t now_ns = kStart) {
    FrameCounts frames{};
    frames[Index(kind)] = count;
    return budget->Charge(frames, now_ns, connections, &process_);
  }
  const FrameLimits limits_;
  ProcessFrameBudget process_{limits_};
};

TEST_F(FrameBudgetTest, EachKindHasALimitAndAReason) {
  for (size_t kind = 0; kind < kCountedFrames; ++kind) {
    const auto reason = static_cast<CutReason>(kind);
    FrameBudget budget;
    const int64_t burst = limits_.connection[kind].burst;
    EXPECT_FALSE(Charge(&budget, reason, burst).has_value());
    EXPECT_EQ(Charge(&budget, reason, 1), reason);
  }
}

TEST_F(FrameBudgetTest, AFloodOverManyConnectionsIsStoppedAndNobodyElse) {
  constexpr size_t kConnections = 41;
  FrameBudget honest;
  std::vector<FrameBudget> flood(kConnections - 1);
  int64_t passed = 0;
  for (int round = 0; round < 10; ++round) {
    for (FrameBudget& connection : flood) {
      if (!Charge(&connection, CutReason::kResets, 500, kConnections).has_value()) passed += 500;
    }
    EXPECT_FALSE(Charge(&honest, CutReason::kResets, 1, kConnections).has_value());
  }
  // Those that have not sent more than a share are left alone.
  EXPECT_LE(passed, 40 * 500 + limits_.process[Index(CutReason::kResets)].burst);
}

TEST_F(FrameBudgetTest, TheRateOfExpiringCallsIsServed) {
  FrameBudget budget;
  // Ten thousand a second, a second long, in steps of a millisecond.
  for (int ms = 0; ms < 1'000; ++ms) {
    ASSERT_FALSE(
        Charge(&budget, CutReason::kResets, 10, 1, kStart + ms * kSecond / 1'000).has_value());
  }
}

class GuardedConnectionTest : public testing::Test {
 protected:
  std::optional<CutReason> Read(const std::string& bytes, int64_t now_ns = kStart) {
    const std::string all = (first_ ? Preface() + greeting_ : "") + bytes;
    first_ = false;
    // In two pieces, the second of which is larger than what was read.
    std::string copy = all + "more";
    const size_t half = all.size() / 2;
    const iovec pieces[] = {{copy.data(), half}, {copy.data() + half, copy.size() - half}};
    if (!connection_.Walk(pieces, all.size(), limits_)) return std::nullopt;
    return connection_.Charge(now_ns, 1, &process_);
  }
  static std::string Streams(uint32_t first, uint32_t count, bool reset) {
    std::string bytes;
    for (uint32_t i = 0; i < count; ++i) {
      bytes += FrameBytes(http2::kHeaders, http2::kEndHeaders, first + 2 * i, "h");
      if (reset) bytes += FrameBytes(http2::kResetStream, 0, first + 2 * i, "1234");
    }
    return bytes;
  }

  const FrameLimits limits_;
  ProcessFrameBudget process_{limits_};
  // What a client sends before its first call.
  std::string greeting_ = FrameBytes(http2::kSettings, http2::kAck, 0);
  GuardedConnection connection_;
  bool first_ = true;
};

TEST_F(GuardedConnectionTest, RapidResetsEnd) {
  EXPECT_FALSE(Read(Streams(1, 6'000, true)).has_value());
  EXPECT_EQ(Read(Streams(12'001, 1, true)), CutReason::kResets);
}

TEST_F(GuardedConnectionTest, WhoDoesNotAcknowledgeHowManyStreamsThereMayBeHasFew) {
  greeting_ = FrameBytes(http2::kSettings, 0, 0);
  EXPECT_FALSE(Read(Streams(1, 512, false)).has_value());
  EXPECT_EQ(Read(Streams(1'025, 1, false)), CutReason::kStreams);
}

TEST_F(GuardedConnectionTest, ResetsOfStreamsThatAreNotNewAreFree) {
  int64_t now = kStart;
  for (uint32_t round = 0; round < 10; ++round, now += kSecond / 5) {
    const uint32_t first = 1 + round * 4'096;
    ASSERT_FALSE(Read(Streams(first, 1'024, false), now).has_value());
    std::string resets;
    for (uint32_t i = 0; i < 1'024; ++i)
      resets += FrameBytes(http2::kResetStream, 0, first + 2 * i, "1234");
    ASSERT_FALSE(Read(resets, now + kSecond / 8).has_value());
  }
  EXPECT_EQ(connection_.totals()[Index(CutReason::kResets)], 10'240);
}

TEST_F(GuardedConnectionTest, HeadersWithoutEndEnd) {
  const std::string part(16'000, 'h');
  EXPECT_FALSE(Read(FrameBytes(http2::kHeaders, 0, 1, part)).has_value());
  EXPECT_EQ(connection_.unfinished_bytes(), 16'009 + kStreamBytes);
  EXPECT_FALSE(Read(FrameBytes(http2::kContinuation, 0, 1, part)).has_value());
  EXPECT_EQ(Read(FrameBytes(http2::kContinuation, 0, 1, part)), CutReason::kHeaderBytes);
}

TEST_F(GuardedConnectionTest, ContinuationsThatCarryNothingCount) {
  std::string bytes = FrameBytes(http2::kHeaders, 0, 1, "h");
  for (int i = 0; i < 4'000; ++i) bytes += FrameBytes(http2::kContinuation, 0, 1);
  EXPECT_EQ(Read(bytes), CutReason::kHeaderBytes);
}

TEST_F(GuardedConnectionTest, ABlockThatIsTooLongCountsThoughItEnds) {
  std::string bytes = FrameBytes(http2::kHeaders, 0, 1, std::string(16'384, 'h'));
  bytes += FrameBytes(http2::kContinuation, 0, 1, std::string(16'384, 'h'));
  bytes += FrameBytes(http2::kContinuation, http2::kEndHeaders, 1, "h");
  EXPECT_EQ(Read(bytes), CutReason::kHeaderBytes);
}

TEST_F(GuardedConnectionTest, HeadersThatEndAreNotHeld) {
  for (uint32_t i = 0; i < 100; ++i) {
    ASSERT_FALSE(
        Read(FrameBytes(http2::kHeaders, http2::kEndStream, 1 + 2 * i, std::string(4'000, 'h')) +
             FrameBytes(http2::kContinuation, http2::kEndHeaders, 1 + 2 * i, "h"))
            .has_value());
  }
  EXPECT_EQ(connection_.unfinished_bytes(), 0);
}

TEST_F(GuardedConnectionTest, PingsThatAreAnsweredAreFree) {
  std::string pings;
  for (int i = 0; i < 600; ++i) pings += FrameBytes(http2::kPing, 0, 0, "12345678");
  EXPECT_FALSE(Read(pings).has_value());
  connection_.unanswered = 0;
  EXPECT_FALSE(Read(pings).has_value());
  EXPECT_EQ(Read(pings), CutReason::kPings);
}

TEST_F(GuardedConnectionTest, FloodsOfFramesEnd) {
  const auto flood = [](uint8_t type, const std::string& payload) {
    std::string bytes;
    for (int i = 0; i < 5'000; ++i) bytes += FrameBytes(type, 0, 0, payload);
    return bytes;
  };
  EXPECT_EQ(Read(flood(http2::kPing, "12345678")), CutReason::kPings);
  connection_.unanswered = -10'000;
  EXPECT_EQ(Read(flood(http2::kSettings, "")), CutReason::kSettings);
  EXPECT_EQ(Read(flood(http2::kData, "")), CutReason::kEmptyData);
  EXPECT_EQ(Read(flood(http2::kPriority, "12345")), CutReason::kOtherFrames);
  EXPECT_EQ(Read(flood(77, "")), CutReason::kOtherFrames);
  EXPECT_FALSE(Read(flood(http2::kWindowUpdate, "1234")).has_value());
}

// Two ends of a connection, one of which the guard watches.
struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    client = Descriptor(ends[0]);
    server = Descriptor(ends[1]);
  }
  bool ended() const {
    char byte;
    return recv(client.get(), &byte, 1, 0) == 0;
  }
  Descriptor client;
  Descriptor server;
};

class FrameGuardTest : public testing::Test {
 protected:
  static FrameLimits Limits() {
    FrameLimits limits;
    limits.unfinished_bytes = 1 << 20;
    return limits;
  }
  bool Admit(const Pair& pair, std::string bytes) {
    const iovec piece = {bytes.data(), bytes.size()};
    return guard_.Admit(pair.server.get(), &piece, bytes.size());
  }
  static std::string Streams(uint32_t first, uint32_t count) {
    std::string bytes;
    for (uint32_t i = 0; i < count; ++i)
      bytes +=
          FrameBytes(http2::kHeaders, http2::kEndHeaders | http2::kEndStream, first + 2 * i, "h");
    return bytes;
  }
  // An unfinished message of so many bytes.
  static std::string Unfinished(uint32_t bytes) {
    std::string frames = Preface();
    const std::string message = MessageBytes(bytes + 1);
    for (size_t from = 0; from < bytes; from += 16'384) {
      frames += FrameBytes(http2::kData, 0, 1,
                           message.substr(from, std::min<size_t>(16'384, bytes - from)));
    }
    return frames;
  }

  FrameGuard guard_{Limits()};
};

TEST_F(FrameGuardTest, OnlyWhatIsWatchedIsCounted) {
  const Pair pair;
  std::string flood = Preface();
  for (int i = 0; i < 5'000; ++i) flood += FrameBytes(http2::kSettings, 0, 0);
  EXPECT_TRUE(Admit(pair, flood));
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  EXPECT_FALSE(Admit(pair, flood));
  EXPECT_EQ(guard_.cut(CutReason::kSettings), 1u);
  // And nothing after that, counted once.
  EXPECT_FALSE(Admit(pair, FrameBytes(http2::kSettings, 0, 0)));
  EXPECT_EQ(guard_.cut(CutReason::kSettings), 1u);
}

TEST_F(FrameGuardTest, ADescriptorThatIsUsedAgainStartsAnew) {
  const Pair pair;
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  ASSERT_TRUE(Admit(pair, Unfinished(100'000)));
  EXPECT_GE(guard_.unfinished_bytes(), 100'000);
  guard_.Forget(pair.server.get());
  EXPECT_EQ(guard_.unfinished_bytes(), 0);
  EXPECT_FALSE(guard_.watches(pair.server.get()));
  // As a connection of a client that the server makes, or a file.
  EXPECT_TRUE(Admit(pair, "not HTTP"));
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  EXPECT_TRUE(Admit(pair, Unfinished(1'000)));
  guard_.Forget(pair.server.get());
  guard_.Forget(pair.server.get());
  guard_.Forget(-1);
}

TEST_F(FrameGuardTest, WhoHoldsMostIsCut) {
  const Pair large;
  const Pair small;
  for (const Pair* pair : {&large, &small}) ASSERT_TRUE(guard_.Watch(pair->server.get()));
  ASSERT_TRUE(Admit(large, Unfinished(900'000)));
  // This one exceeds the limit, the other pays.
  EXPECT_TRUE(Admit(small, Unfinished(200'000)));
  EXPECT_TRUE(large.ended());
  EXPECT_FALSE(small.ended());
  EXPECT_FALSE(Admit(large, FrameBytes(http2::kSettings, 0, 0)));
  EXPECT_EQ(guard_.cut(CutReason::kUnfinishedBytes), 1u);
  EXPECT_LE(guard_.unfinished_bytes(), 300'000);
  guard_.Forget(large.server.get());
  guard_.Forget(small.server.get());
  EXPECT_EQ(guard_.unfinished_bytes(), 0);
}

TEST_F(FrameGuardTest, WhoHoldsMostMayBeTheOneWhoSends) {
  const Pair pair;
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  EXPECT_FALSE(Admit(pair, Unfinished(1'100'000)));
  EXPECT_EQ(guard_.cut(CutReason::kUnfinishedBytes), 1u);
}

// As gRPC waits: for what is new.
TEST_F(FrameGuardTest, WhoHadToWaitIsToldOfTheRest) {
  const Pair pair;
  const Descriptor set(epoll_create1(0));
  const auto told = [&set] {
    epoll_event event;
    return epoll_wait(set.get(), &event, 1, 0) == 1;
  };
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.fd = pair.server.get()}};
  ASSERT_EQ(epoll_ctl(set.get(), EPOLL_CTL_ADD, pair.server.get(), &event), 0);
  guard_.Polled(pair.server.get(), set.get(), event);
  ASSERT_EQ(send(pair.client.get(), "more", 4, 0), 4);
  ASSERT_TRUE(told());
  ASSERT_FALSE(told());
  const std::string streams =
      Preface() + FrameBytes(http2::kSettings, http2::kAck, 0) + Streams(1, 256);
  ASSERT_GT(guard_.Allowance(pair.server.get()), 0u);
  ASSERT_TRUE(Admit(pair, streams));
  EXPECT_EQ(guard_.Allowance(pair.server.get()), 0u);
  guard_.EndTurn();
  EXPECT_TRUE(told());
  EXPECT_FALSE(told());
  EXPECT_GT(guard_.Allowance(pair.server.get()), 0u);
  // The next turn comes by itself: when as many calls were taken up,
  std::atomic<uint64_t> taken_up = 0;
  guard_.StartTurns([&taken_up] { return taken_up += 32; });
  ASSERT_TRUE(Admit(pair, Streams(601, 64)));
  EXPECT_EQ(guard_.Allowance(pair.server.get()), 0u);
  epoll_event event_of_turn;
  EXPECT_EQ(epoll_wait(set.get(), &event_of_turn, 1, 60'000), 1);
  EXPECT_GT(guard_.Allowance(pair.server.get()), 0u);
  guard_.StopTurns();
}

// or, of what brings no calls, after a while.
TEST_F(FrameGuardTest, TurnsEndAlsoWhereThereAreNoCalls) {
  const Pair pair;
  const Descriptor set(epoll_create1(0));
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  epoll_event event{.events = EPOLLOUT | EPOLLET, .data = {.fd = pair.server.get()}};
  ASSERT_EQ(epoll_ctl(set.get(), EPOLL_CTL_ADD, pair.server.get(), &event), 0);
  guard_.Polled(pair.server.get(), set.get(), event);
  ASSERT_EQ(epoll_wait(set.get(), &event, 1, 0), 1);
  guard_.StartTurns([] { return 0; });
  ASSERT_GT(guard_.Allowance(pair.server.get()), 0u);
  ASSERT_TRUE(
      Admit(pair, Preface() + FrameBytes(http2::kSettings, http2::kAck, 0) + Streams(1, 64)));
  EXPECT_EQ(guard_.Allowance(pair.server.get()), 0u);
  EXPECT_EQ(epoll_wait(set.get(), &event, 1, 60'000), 1);
  EXPECT_GT(guard_.Allowance(pair.server.get()), 0u);
  guard_.StopTurns();
}

TEST_F(FrameGuardTest, WhereAllBeginManyEachHasFew) {
  std::vector<Pair> pairs(17);
  const Descriptor set(epoll_create1(0));
  for (Pair& pair : pairs) {
    ASSERT_TRUE(guard_.Watch(pair.server.get()));
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = pair.server.get()}};
    guard_.Polled(pair.server.get(), set.get(), event);
    ASSERT_GT(guard_.Allowance(pair.server.get()), 0u);
    const bool is_last = &pair == &pairs.back();
    ASSERT_TRUE(Admit(pair, Preface() + FrameBytes(http2::kSettings, http2::kAck, 0) +
                                Streams(1, is_last ? 4 : 64)));
  }
  EXPECT_EQ(guard_.Allowance(pairs.back().server.get()), 0u);
  guard_.EndTurn();
  EXPECT_GT(guard_.Allowance(pairs.back().server.get()), 0u);
  ASSERT_TRUE(Admit(pairs.back(), Streams(9, 4)));
  EXPECT_GT(guard_.Allowance(pairs.back().server.get()), 0u);
}

TEST_F(FrameGuardTest, WhatIsEncryptedIsCountedWhenItIsDecrypted) {
  const Pair pair;
  const int descriptor = pair.server.get();
  const Descriptor set(epoll_create1(0));
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = descriptor}};
  ASSERT_EQ(epoll_ctl(set.get(), EPOLL_CTL_ADD, descriptor, &event), 0);
  ASSERT_TRUE(guard_.Watch(descriptor, /*over_tls=*/true));
  guard_.Polled(descriptor, set.get(), event);
  const auto decrypt = [&](const std::string& bytes) {
    guard_.Decrypt(descriptor);
    return guard_.AdmitDecrypted(descriptor, bytes.data(), bytes.size());
  };
  // A handshake is read to its end.
  ASSERT_TRUE(Admit(pair, "what looks like no frame"));
  EXPECT_GT(guard_.Allowance(descriptor), 0u);
  ASSERT_TRUE(decrypt(Preface() + FrameBytes(http2::kSettings, http2::kAck, 0)));
  // From then on, what was read is decrypted before there is more.
  ASSERT_TRUE(Admit(pair, "a record"));
  EXPECT_EQ(guard_.Allowance(descriptor), 0u);
  std::string streams;
  for (uint32_t i = 0; i < 64; ++i)
    streams += FrameBytes(http2::kHeaders, http2::kEndHeaders, 1 + 2 * i, "h");
  ASSERT_TRUE(decrypt(streams));
  EXPECT_EQ(guard_.Allowance(descriptor), 0u);
  guard_.EndTurn();
  EXPECT_GT(guard_.Allowance(descriptor), 0u);
  EXPECT_EQ(guard_.cut(CutReason::kResets), 0u);
  // A turn cannot end within a record.
  std::string resets;
  for (uint32_t i = 64; i < 129; ++i) {
    resets += FrameBytes(http2::kHeaders, http2::kEndHeaders, 1 + 2 * i, "h");
    resets += FrameBytes(http2::kResetStream, 0, 1 + 2 * i, "1234");
  }
  EXPECT_FALSE(decrypt(resets));
  EXPECT_EQ(guard_.cut(CutReason::kResets), 1u);
  EXPECT_FALSE(Admit(pair, "more"));
}

TEST_F(FrameGuardTest, WhoTakesNoAnswersIsNotReadUntilItDoes) {
  const Pair pair;
  const int descriptor = pair.server.get();
  const Descriptor set(epoll_create1(0));
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.fd = descriptor}};
  ASSERT_EQ(epoll_ctl(set.get(), EPOLL_CTL_ADD, descriptor, &event), 0);
  ASSERT_TRUE(guard_.Watch(descriptor));
  guard_.Polled(descriptor, set.get(), event);
  ASSERT_EQ(send(pair.client.get(), "more", 4, 0), 4);
  ASSERT_EQ(epoll_wait(set.get(), &event, 1, 0), 1);
  ASSERT_TRUE(Admit(pair, Preface() + FrameBytes(http2::kSettings, http2::kAck, 0)));
  guard_.Blocked(descriptor);
  ASSERT_TRUE(Admit(pair, Streams(1, 3)));
  guard_.EndTurn();
  EXPECT_GT(guard_.Allowance(descriptor), 0u) << "a few may come";
  ASSERT_TRUE(Admit(pair, Streams(7, 1)));
  guard_.EndTurn();
  EXPECT_EQ(guard_.Allowance(descriptor), 0u);
  guard_.EndTurn();
  EXPECT_EQ(guard_.Allowance(descriptor), 0u);
  ASSERT_EQ(epoll_wait(set.get(), &event, 1, 0), 0);
  guard_.Wrote(descriptor, /*all=*/false);
  ASSERT_EQ(epoll_wait(set.get(), &event, 1, 0), 0) << "a little is not enough";
  EXPECT_EQ(guard_.Allowance(descriptor), 0u);
  guard_.Wrote(descriptor, /*all=*/true);
  EXPECT_EQ(epoll_wait(set.get(), &event, 1, 0), 1);
  EXPECT_GT(guard_.Allowance(descriptor), 0u);
}

TEST_F(FrameGuardTest, WhereManyTakeNoAnswersEachHasFew) {
  std::vector<Pair> pairs(17);
  for (Pair& pair : pairs) {
    ASSERT_TRUE(guard_.Watch(pair.server.get()));
    guard_.Polled(pair.server.get(), /*set=*/-1, {});
    ASSERT_TRUE(Admit(pair, Preface() + FrameBytes(http2::kSettings, http2::kAck, 0)));
  }
  const Pair& last = pairs.back();
  const Descriptor set(epoll_create1(0));
  guard_.Polled(last.server.get(), set.get(), {.events = EPOLLIN | EPOLLET, .data = {}});
  auto has_few = [&, stream = 1U]() mutable {
    guard_.EndTurn();
    EXPECT_GT(guard_.Allowance(last.server.get()), 0u);
    EXPECT_TRUE(Admit(last, Streams(stream, 4)));
    stream += 8;
    guard_.Wrote(last.server.get(), /*all=*/true);
    return guard_.Allowance(last.server.get()) == 0;
  };
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_FALSE(has_few());
    guard_.EndTurn();
    ASSERT_TRUE(Admit(pairs[i], Streams(1, 60)));
    guard_.Blocked(pairs[i].server.get());
    guard_.Blocked(pairs[i].server.get());
    ASSERT_TRUE(Admit(pairs[i], Streams(121, 4)));
  }
  EXPECT_TRUE(has_few());
  guard_.Wrote(pairs[0].server.get(), /*all=*/true);
  EXPECT_FALSE(has_few());
  guard_.Blocked(pairs[0].server.get());
  EXPECT_FALSE(has_few()) << "all that it asked for was written";
  ASSERT_TRUE(Admit(pairs[0], Streams(129, 64)));
  EXPECT_TRUE(has_few());
  guard_.Forget(pairs[1].server.get());
  EXPECT_FALSE(has_few());
}

TEST_F(FrameGuardTest, NobodyIsKeptFromReadingWhoCouldNotBeTold) {
  const Pair pair;
  ASSERT_TRUE(guard_.Watch(pair.server.get()));
  const std::string streams =
      Preface() + FrameBytes(http2::kSettings, http2::kAck, 0) + Streams(1, 300);
  ASSERT_TRUE(Admit(pair, streams));
  EXPECT_GT(guard_.Allowance(pair.server.get()), 0u);
  EXPECT_EQ(guard_.Allowance(-1), std::numeric_limits<size_t>::max());
}

TEST_F(FrameGuardTest, DescriptorsBeyondAllPlacesAreRefused) {
  EXPECT_FALSE(guard_.Watch(1 << 30));
  EXPECT_FALSE(guard_.Watch(-1));
  EXPECT_FALSE(guard_.watches(1 << 30));
}

TEST(PeerTextTest, SaysWhoItIs) {
  const Pair pair;
  EXPECT_EQ(PeerText(pair.server.get()), "unix");
  EXPECT_EQ(PeerText(-1), "a peer that is gone");
}

}  // namespace
}  // namespace ferrite
