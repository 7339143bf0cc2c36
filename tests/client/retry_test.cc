#include "client/retry.h"

#include <gtest/gtest.h>

#include <set>

#include "client/repeatable.h"

namespace ferrite {
namespace {

constexpr double kLeastChance = 0;
constexpr double kGreatestChance = 0.999999;

RetryPolicy Policy() {
  return {.max_attempts = 4,
          .initial_backoff = absl::Milliseconds(100),
          .max_backoff = absl::Milliseconds(300)};
}

FailedAttempt Unavailable() {
  return {.attempts = 1,
          .repeatable = true,
          .code = absl::StatusCode::kUnavailable,
          .pushback = std::nullopt,
          .time_left = absl::Seconds(10)};
}

TEST(BackoffTest, DoublesUpToTheLimit) {
  EXPECT_NEAR(absl::ToDoubleMilliseconds(Backoff(Policy(), 1, kGreatestChance)), 100, 0.1);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(Backoff(Policy(), 2, kGreatestChance)), 200, 0.1);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(Backoff(Policy(), 3, kGreatestChance)), 300, 0.1);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(Backoff(Policy(), 1000, kGreatestChance)), 300, 0.1);
}

TEST(BackoffTest, ChanceTakesUpToHalfOff) {
  EXPECT_EQ(Backoff(Policy(), 1, kLeastChance), absl::Milliseconds(50));
  EXPECT_EQ(Backoff(Policy(), 1, 0.5), absl::Milliseconds(75));
}

TEST(RetryDelayTest, UnavailableIsTriedAgainAfterBackoff) {
  EXPECT_EQ(RetryDelay(Policy(), Unavailable(), 0.5), absl::Milliseconds(75));
}

TEST(RetryDelayTest, WhatIsNotRepeatableIsNot) {
  FailedAttempt failed = Unavailable();
  failed.repeatable = false;
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
}

TEST(RetryDelayTest, OnlyUnavailableIsTriedAgain) {
  for (int code = 1; code <= 16; ++code) {
    FailedAttempt failed = Unavailable();
    failed.code = static_cast<absl::StatusCode>(code);
    EXPECT_EQ(RetryDelay(Policy(), failed, 0).has_value(),
              failed.code == absl::StatusCode::kUnavailable)
        << code;
  }
}

TEST(RetryDelayTest, ResourceExhaustedIsTriedAgainWhenTheServerSaysWhen) {
  FailedAttempt failed = Unavailable();
  failed.code = absl::StatusCode::kResourceExhausted;
  failed.pushback = "250";
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), absl::Milliseconds(250));
}

TEST(RetryDelayTest, OtherErrorsAreNotTriedAgainWhateverTheServerSays) {
  FailedAttempt failed = Unavailable();
  failed.code = absl::StatusCode::kInvalidArgument;
  failed.pushback = "0";
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
}

TEST(RetryDelayTest, PatienceLastsUntilTheDeadline) {
  FailedAttempt failed = Unavailable();
  failed.patient = true;
  failed.attempts = 1'000'000;
  EXPECT_NE(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  failed.time_left = absl::Milliseconds(100);
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  RetryPolicy once = Policy();
  once.max_attempts = 1;
  EXPECT_EQ(RetryDelay(once,
                       {.attempts = 1,
                        .repeatable = true,
                        .code = absl::StatusCode::kUnavailable,
                        .time_left = absl::Seconds(10),
                        .patient = true},
                       0.5),
            std::nullopt);
}

TEST(RetryDelayTest, TheServersTimeGoesBeforeOurs) {
  FailedAttempt failed = Unavailable();
  failed.pushback = "0";
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), absl::ZeroDuration());
  failed.pushback = "5000";
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), absl::Seconds(5));
}

TEST(RetryDelayTest, NegativeOrSenselessPushbackMeansNever) {
  for (const char* pushback : {"-1", "", "soon", "1.5", "99999999999999999999"}) {
    FailedAttempt failed = Unavailable();
    failed.pushback = pushback;
    EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt) << pushback;
  }
}

TEST(RetryDelayTest, AttemptsAreLimited) {
  FailedAttempt failed = Unavailable();
  failed.attempts = 3;
  EXPECT_NE(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  failed.attempts = 4;
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
}

TEST(RetryDelayTest, PatienceUsesUpNoAttempts) {
  FailedAttempt failed = Unavailable();
  failed.attempts = 20;
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  failed.uncounted = 17;
  EXPECT_NE(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  failed.uncounted = 16;
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
}

TEST(RetryDelayTest, OneAttemptMeansNever) {
  RetryPolicy policy = Policy();
  policy.max_attempts = 1;
  EXPECT_EQ(RetryDelay(policy, Unavailable(), 0.5), std::nullopt);
}

TEST(RetryDelayTest, NothingIsTriedThatCouldNotStartInTime) {
  FailedAttempt failed = Unavailable();
  failed.time_left = absl::Milliseconds(75);
  EXPECT_EQ(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  failed.time_left = absl::Milliseconds(76);
  EXPECT_NE(RetryDelay(Policy(), failed, 0.5), std::nullopt);
  failed.time_left = -absl::Seconds(1);
  EXPECT_EQ(RetryDelay(Policy(), failed, 0), std::nullopt);
}

TEST(RetryTest, ChanceIsInRangeAndRequestIdsDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const double chance = RandomChance();
    EXPECT_GE(chance, 0);
    EXPECT_LT(chance, 1);
    ids.insert(NewRequestId());
  }
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(ids.begin()->size(), 16u);
}

TEST(RepeatableTest, ReadsAreAndTouchIs) {
  EXPECT_TRUE(IsRepeatable(v1::GetRequest()));
  EXPECT_TRUE(IsRepeatable(v1::MGetRequest()));
  EXPECT_TRUE(IsRepeatable(v1::ExistsRequest()));
  EXPECT_TRUE(IsRepeatable(v1::ScanRequest()));
  EXPECT_TRUE(IsRepeatable(v1::TouchRequest()));
  EXPECT_TRUE(IsRepeatable(v1::InfoRequest()));
  EXPECT_TRUE(IsRepeatable(v1::StatsRequest()));
}

TEST(RepeatableTest, WhatWouldAnswerOtherwiseIsNot) {
  EXPECT_FALSE(IsRepeatable(v1::DeleteRequest()));
  EXPECT_FALSE(IsRepeatable(v1::MDeleteRequest()));
  EXPECT_FALSE(IsRepeatable(v1::PublishRequest()));
  EXPECT_FALSE(IsRepeatable(v1::FlushRequest()));
}

TEST(RepeatableTest, IncrIsOnlyWithARequestId) {
  v1::IncrRequest request;
  EXPECT_FALSE(IsRepeatable(request));
  request.set_request_id("1");
  EXPECT_TRUE(IsRepeatable(request));
}

TEST(RepeatableTest, SetIsUnlessStringsAreAttached) {
  v1::SetRequest plain;
  EXPECT_TRUE(IsRepeatable(plain));
  plain.set_keep_ttl(true);
  EXPECT_TRUE(IsRepeatable(plain));

  v1::SetRequest absent, present, version, previous;
  absent.set_condition(v1::SET_CONDITION_ABSENT);
  present.set_condition(v1::SET_CONDITION_PRESENT);
  version.set_if_version(0);
  previous.set_return_previous(true);
  for (v1::SetRequest* request : {&absent, &present, &version, &previous}) {
    EXPECT_FALSE(IsRepeatable(*request)) << request->DebugString();
    request->set_request_id("1");
    EXPECT_TRUE(IsRepeatable(*request)) << request->DebugString();
  }
}

TEST(RepeatableTest, MSetIsIfAllItsEntriesAre) {
  v1::MSetRequest request;
  request.add_entries();
  EXPECT_TRUE(IsRepeatable(request));
  request.add_entries()->set_condition(v1::SET_CONDITION_ABSENT);
  EXPECT_FALSE(IsRepeatable(request));
  request.mutable_entries(1)->set_request_id("1");
  EXPECT_TRUE(IsRepeatable(request));
}

}  // namespace
}  // namespace ferrite
