#include "server/handlers/replay_window.h"

#include <gtest/gtest.h>

#include <thread>

#include "ferrite/v1/cache.pb.h"
#include "server/metrics/thread_counters.h"
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
