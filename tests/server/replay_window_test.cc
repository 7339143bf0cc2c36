#include "server/handlers/replay_window.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>

#include "ferrite/v1/cache.pb.h"
#include "server/admission/gate.h"
#include "server/call/caller.h"
#include "server/call/request_scope.h"
#include "server/call/status.h"
#include "server/metrics/thread_counters.h"
#include "tests/server/caller_from.h"
#include "tests/store/fake_clock.h"

namespace ferrite {
namespace {

class ReplayWindowTest : public testing::Test {
 protected:
  ReplayWindowTest() { counters_.AttachThread(); }

  // Executes a call that answers with how often it was executed.
  absl::Status Call(const std::string& id, const std::string& key = "k",
                    absl::Status outcome = absl::OkStatus()) {
    v1::IncrRequest request;
    request.set_key(key);
    response_.Clear();
    return window_.Once(id, request, &response_, [&] {
      response_.set_value(++executed_);
      return outcome;
    });
  }

  CounterRegistry counters_;
  FakeClock clock_;
  ReplayWindow window_{4096, &clock_};
  v1::IncrResponse response_;
  std::atomic<int> executed_ = 0;
};

TEST_F(ReplayWindowTest, ARepeatedCallAnswersTheSameAndDoesNothing) {
  EXPECT_TRUE(Call("id").ok());
  EXPECT_EQ(response_.value(), 1);
  EXPECT_TRUE(Call("id").ok());
  EXPECT_EQ(response_.value(), 1);
  EXPECT_TRUE(Call("other").ok());
  EXPECT_EQ(response_.value(), 2);
}

TEST_F(ReplayWindowTest, WithoutAnIdEachCallExecutes) {
  EXPECT_TRUE(Call("").ok());
  EXPECT_TRUE(Call("").ok());
  EXPECT_EQ(executed_, 2);
  EXPECT_EQ(window_.memory_bytes(), 0u);
}

TEST_F(ReplayWindowTest, TheWindowIsSixtySecondsLong) {
  EXPECT_TRUE(Call("id").ok());
  clock_.Advance(kReplayWindowMs - 1);
  EXPECT_TRUE(Call("id").ok());
  EXPECT_EQ(executed_, 1);
  clock_.Advance(1);
  EXPECT_TRUE(Call("id").ok());
  EXPECT_EQ(executed_, 2);
}

TEST_F(ReplayWindowTest, ARefusalIsAnOutcome) {
  EXPECT_FALSE(Call("id", "k", absl::Status(absl::StatusCode::kOutOfRange, "beyond")).ok());
  const absl::Status again = Call("id");
  EXPECT_EQ(again.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(again.message(), "beyond");
  EXPECT_EQ(executed_, 1);
}

TEST_F(ReplayWindowTest, WhatALaterTryMayMendIsNotRemembered) {
  EXPECT_FALSE(Call("id", "k", absl::Status(absl::StatusCode::kResourceExhausted, "")).ok());
  EXPECT_TRUE(Call("id").ok());
  EXPECT_EQ(executed_, 2);
  EXPECT_GT(window_.memory_bytes(), 0u);
}

TEST_F(ReplayWindowTest, AnIdIsForOneRequest) {
  EXPECT_TRUE(Call("id", "k").ok());
  EXPECT_EQ(Call("id", "another key").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(executed_, 1);
}

TEST_F(ReplayWindowTest, IdsOfDifferentPrincipalsHaveNothingToDoWithEachOther) {
  ReplayWindow window{64 << 10, &clock_, [](const Caller& caller) { return caller.peer(); }};
  const auto call = [&](const std::string& principal, const std::string& key) {
    const CallerFrom caller(principal);
    const CallerScope scope(&caller);
    v1::IncrRequest request;
    request.set_key(key);
    response_.Clear();
    return window.Once("id", request, &response_, [&] {
      response_.set_value(++executed_);
      return absl::OkStatus();
    });
  };
  EXPECT_TRUE(call("shop", "k").ok());
  EXPECT_TRUE(call("stranger", "other").ok()) << "which once blocked the id for whoever had it";
  EXPECT_EQ(executed_, 2);
  EXPECT_TRUE(call("shop", "k").ok());
  EXPECT_EQ(response_.value(), 1);
  EXPECT_EQ(call("stranger", "k").code(), absl::StatusCode::kInvalidArgument);
  // As it comes from another node, in whose name it is executed.
  const ForwardedScope forwarded("shop");
  EXPECT_TRUE(call("node", "k").ok());
  EXPECT_EQ(response_.value(), 1);
  EXPECT_EQ(executed_, 2);
}

// Of an odd number, modulo 2^64.
constexpr uint64_t InverseOf(uint64_t factor) {
  uint64_t inverse = factor;
  for (int i = 0; i < 6; ++i) inverse *= 2 - factor * inverse;
  return inverse;
}

// Two texts that std::hash<std::string_view>, which is MurmurHash64A with a key that everybody
// knows, takes for one: each step of it can be undone.
class Collision {
 public:
  static uint64_t Mixed(uint64_t block) { return Shifted(block * kFactor) * kFactor; }
  static uint64_t Unmixed(uint64_t mixed) { return Shifted(mixed * kInverse) * kInverse; }
  // What follows another first block, so that both come to the same.
  static uint64_t SecondBlock(uint64_t before, uint64_t first, uint64_t second, uint64_t other) {
    const uint64_t after = (before ^ Mixed(first)) * kFactor;
    const uint64_t after_other = (before ^ Mixed(other)) * kFactor;
    return Unmixed(after ^ Mixed(second) ^ after_other);
  }
  static uint64_t BeforeFirstBlock(size_t size) { return kSeed ^ (size * kFactor); }
  static uint64_t After(uint64_t before, uint64_t block) {
    return (before ^ Mixed(block)) * kFactor;
  }

 private:
  static uint64_t Shifted(uint64_t value) { return value ^ (value >> 47); }
  static constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  static constexpr uint64_t kInverse = InverseOf(kFactor);
  static constexpr uint64_t kSeed = 0xc70f6907;
};

TEST_F(ReplayWindowTest, ACraftedCollisionSwallowsNoWrite) {
  v1::SetRequest one;
  one.set_key("k");
  one.set_value(std::string(32, 'v'));
  const std::string bytes = one.SerializeAsString();
  // The value begins after 5 bytes, and has two whole blocks of the hash from the 8th on.
  ASSERT_EQ(bytes.find("vvv"), 5u);
  const auto block = [](const std::string& text, size_t at) {
    uint64_t loaded;
    std::memcpy(&loaded, text.data() + at, sizeof loaded);
    return loaded;
  };
  const uint64_t before =
      Collision::After(Collision::BeforeFirstBlock(bytes.size()), block(bytes, 0));
  uint64_t blocks[2] = {block(bytes, 8) ^ 1, 0};
  blocks[1] = Collision::SecondBlock(before, block(bytes, 8), block(bytes, 16), blocks[0]);
  v1::SetRequest other = one;
  std::memcpy(other.mutable_value()->data() + 3, blocks, sizeof blocks);
  ASSERT_NE(one.value(), other.value());
  ASSERT_EQ(std::hash<std::string>{}(bytes), std::hash<std::string>{}(other.SerializeAsString()));

  v1::SetResponse response;
  const auto write = [&](const v1::SetRequest& request) {
    return window_.Once("id", request, &response, [&] {
      ++executed_;
      return absl::OkStatus();
    });
  };
  EXPECT_TRUE(write(one).ok());
  EXPECT_EQ(ReasonOf(write(other)), v1::REQUEST_ID_REUSED) << "it was told that it had been done";
  EXPECT_EQ(executed_, 1);
}

TEST_F(ReplayWindowTest, AFullWindowRefusesNewIdsAndKeepsTheOldOnes) {
  int accepted = 0;
  while (Call("id" + std::to_string(accepted)).ok()) ++accepted;
  EXPECT_GT(accepted, 5);
  EXPECT_EQ(Call("new").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Call("id0").ok());
  EXPECT_EQ(response_.value(), 1);
  EXPECT_TRUE(Call("").ok());
  clock_.Advance(kReplayWindowMs);
  window_.Purge();
  EXPECT_EQ(window_.memory_bytes(), 0u);
  EXPECT_TRUE(Call("new").ok());
}

// Sixty-five values of 1 MiB once filled the window of all clients for a minute.
TEST_F(ReplayWindowTest, AnAnswerThatIsTooLargeIsNotKept) {
  v1::SetRequest request;
  const auto set = [&](const std::string& id, size_t bytes, v1::SetResponse* response) {
    return window_.Once(id, request, response, [&] {
      ++executed_;
      response->set_stored(true);
      response->set_version(7);
      response->mutable_previous()->set_value(std::string(bytes, 'v'));
      return absl::OkStatus();
    });
  };
  for (int i = 0; i < 5; ++i) {
    v1::SetResponse response;
    EXPECT_TRUE(set("large" + std::to_string(i), 1 << 20, &response).ok());
    EXPECT_EQ(response.previous().value().size(), 1u << 20);
    EXPECT_LT(window_.memory_bytes(), (i + 1) * 1500u);
  }
  v1::SetResponse response;
  const absl::Status again = set("large0", 1 << 20, &response);
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ReasonOf(again), v1::REPLAY_TOO_LARGE);
  EXPECT_NE(again.message().find("it stored version 7"), std::string::npos) << again;
  EXPECT_EQ(executed_, 5);
}

TEST_F(ReplayWindowTest, AnAnswerOfTheLargestSizeIsKept) {
  ReplayWindow window{1 << 20, &clock_};
  v1::SetRequest request;
  v1::SetResponse response;
  size_t bytes = ReplayWindow::kMaxAnswerBytes;
  const auto set = [&](const std::string& id) {
    return window.Once(id, request, &response, [&] {
      response.mutable_previous()->set_value(std::string(bytes, 'v'));
      return absl::OkStatus();
    });
  };
  EXPECT_TRUE(set("larger").ok());
  const size_t around_value = response.ByteSizeLong() - bytes;
  EXPECT_FALSE(set("larger").ok());
  bytes -= around_value;
  for (int i = 0; i < 2; ++i) {
    response.Clear();
    EXPECT_TRUE(set("fits").ok());
    EXPECT_EQ(response.ByteSizeLong(), ReplayWindow::kMaxAnswerBytes);
  }
}

TEST_F(ReplayWindowTest, NoClientUsesItUpForTheOthers) {
  ReplayWindow window{64 << 10, &clock_};
  const auto call = [&](const std::string& peer, const std::string& id) {
    const CallerFrom caller(peer);
    const CallerScope scope(&caller);
    v1::IncrRequest request;
    v1::IncrResponse response;
    return window.Once(id, request, &response, [] { return absl::OkStatus(); });
  };
  int ids = 0;
  const auto use_up = [&](const std::string& host) {
    const int before = ids;
    // Another connection is no other client.
    while (call(host + ":" + std::to_string(ids), std::to_string(ids)).ok()) ++ids;
    return ids - before;
  };
  const int first = use_up("ipv4:10.0.0.1");
  EXPECT_GT(window.memory_bytes(), (64u << 10) * 70 / 100);
  EXPECT_EQ(ReasonOf(call("ipv4:10.0.0.1:1", "new")), v1::REQUEST_WINDOW_FULL);
  EXPECT_GT(use_up("ipv4:10.0.0.2"), first / 8);
  EXPECT_GT(use_up("ipv6:%5B::1%5D"), first / 40);
  EXPECT_TRUE(call("unix:/run/ferrite.sock", "one more").ok());
  EXPECT_TRUE(call("unix:", "and one").ok());
  EXPECT_LE(window.memory_bytes(), 64u << 10);
  EXPECT_TRUE(call("ipv4:10.0.0.9:1", "0").ok());  // an id that is known is for whoever knows it
  clock_.Advance(kReplayWindowMs);
  window.Purge();
  EXPECT_EQ(window.memory_bytes(), 0u);
  EXPECT_GT(use_up("ipv4:10.0.0.1"), first * 9 / 10);  // its ids have more digits now
}

TEST_F(ReplayWindowTest, WhoIsRefusedLearnsWhenTheOldestOutcomeIsPast) {
  int ids = 0;
  ASSERT_TRUE(Call("oldest").ok());
  clock_.Advance(20'000);
  absl::Status full;
  while ((full = Call(std::to_string(ids++))).ok()) {
  }
  ASSERT_EQ(ReasonOf(full), v1::REQUEST_WINDOW_FULL);
  EXPECT_EQ(PushbackAfter(full), std::chrono::milliseconds(kReplayWindowMs - 20'000));
  clock_.Advance(kReplayWindowMs - 20'000);
  window_.Purge();
  full = Call("new");
  ASSERT_TRUE(full.ok() || PushbackAfter(full) == std::chrono::milliseconds(20'000));
}

TEST_F(ReplayWindowTest, OfManyAtOnceOneExecutes) {
  for (int round = 0; round < 10; ++round) {
    const std::string id = "id" + std::to_string(round);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        v1::IncrRequest request;
        v1::IncrResponse response;
        EXPECT_TRUE(window_
                        .Once(id, request, &response,
                              [&] {
                                response.set_value(++executed_);
                                return absl::OkStatus();
                              })
                        .ok());
        EXPECT_EQ(response.value(), round + 1);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(executed_, round + 1);
  }
}

}  // namespace
}  // namespace ferrite
