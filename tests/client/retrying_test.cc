// Which calls a Client sends again, as the server sees them.

#include <gtest/gtest.h>

#include "client/error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/client_fixture.h"
#include "tests/client/scripted_peer.h"

namespace ferrite {
namespace {

const grpc::Status kUnavailable(grpc::StatusCode::UNAVAILABLE, "not now");
const grpc::Status kExhausted(grpc::StatusCode::RESOURCE_EXHAUSTED, "too much");

class RetryingTest : public testing::Test {
 protected:
  ScriptedPeer peer_;
  std::unique_ptr<Client> client_ = ClientOf(peer_.address());
};

TEST_F(RetryingTest, AReadIsTriedUntilItSucceeds) {
  peer_.Expect({{kUnavailable}, {kUnavailable}, {kUnavailable}});
  const auto reply = client_->Get("k");
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->value(), "of k");
  EXPECT_EQ(peer_.calls(), 4u);
}

TEST_F(RetryingTest, TriesAreLimited) {
  peer_.Expect({{kUnavailable}, {kUnavailable}, {kUnavailable}, {kUnavailable}, {kUnavailable}});
  const auto reply = client_->Get("k");
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(reply.status().message().find("not now"), std::string::npos) << reply.status();
  EXPECT_EQ(peer_.calls(), 4u);
}

TEST_F(RetryingTest, IncrWithoutAnIdIsTriedOnce) {
  peer_.Expect({{kUnavailable}});
  const absl::Status status = client_->Incr("n").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("whether the call was carried out is not known"),
            std::string::npos)
      << status;
  EXPECT_EQ(peer_.calls(), 1u);
}

TEST_F(RetryingTest, IncrWithAnIdIsTriedAgainUnderTheSameId) {
  peer_.Expect({{kUnavailable}, {kUnavailable}});
  v1::IncrRequest request;
  request.set_key("n");
  request.set_delta(5);
  request.set_request_id("once");
  ASSERT_TRUE(client_->Incr(request).ok());
  const auto seen = peer_.incr_requests();
  ASSERT_EQ(seen.size(), 3u);
  for (const v1::IncrRequest& one : seen) {
    EXPECT_EQ(one.SerializeAsString(), request.SerializeAsString());
  }
}

TEST_F(RetryingTest, APlainSetIsTriedAgainButAConditionalOneIsNot) {
  peer_.Expect({{kUnavailable}});
  EXPECT_TRUE(client_->Set("k", "v").ok());
  EXPECT_EQ(peer_.calls(), 2u);

  peer_.Expect({{kUnavailable}});
  v1::SetRequest request;
  request.set_key("k");
  request.set_condition(v1::SET_CONDITION_ABSENT);
  EXPECT_FALSE(client_->Set(request).ok());
  EXPECT_EQ(peer_.calls(), 3u);
}

TEST_F(RetryingTest, AnotherErrorIsFinal) {
  peer_.Expect({{{grpc::StatusCode::INVALID_ARGUMENT, "no"}}});
  EXPECT_EQ(client_->Get("k").status().message(), "no");
  EXPECT_EQ(peer_.calls(), 1u);
}

TEST_F(RetryingTest, AnOverloadedServerIsLeftAloneUnlessItSaysWhen) {
  peer_.Expect({{kExhausted}});
  EXPECT_EQ(client_->Get("k").status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(peer_.calls(), 1u);

  peer_.Expect({{kExhausted, "0"}, {kExhausted, "1"}});
  EXPECT_TRUE(client_->Get("k").ok());
  EXPECT_EQ(peer_.calls(), 4u);

  peer_.Expect({{kExhausted, "-1"}});
  EXPECT_FALSE(client_->Get("k").ok());
  EXPECT_EQ(peer_.calls(), 5u);
}

grpc::Status WithReason(grpc::StatusCode code, const std::string& message,
                        const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("ferrite");
  google::rpc::Status details;
  details.set_code(code);
  details.add_details()->PackFrom(info);
  return {code, message, details.SerializeAsString()};
}

grpc::Status Overloaded() {
  return WithReason(grpc::StatusCode::RESOURCE_EXHAUSTED, "too much", "OVERLOADED");
}

TEST_F(RetryingTest, WhatCertainlyWasNotDoneIsTriedAgain) {
  const grpc::Status going =
      WithReason(grpc::StatusCode::UNAVAILABLE, "the server shuts down", "SHUTTING_DOWN");
  peer_.Expect({{going}, {going}, {going}});
  const auto counted = client_->Incr("n");
  EXPECT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(peer_.calls(), 4u);
}

TEST_F(RetryingTest, WhatTheFirstTryMayHaveDoneTheLastDoesNotDeny) {
  peer_.Expect({{kUnavailable}, {Overloaded()}});
  const absl::Status status = client_->Set("k", "v").status();
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  EXPECT_TRUE(MayBeDone(status)) << status;
  EXPECT_EQ(peer_.calls(), 2u);
}

TEST_F(RetryingTest, WhatTheServerCancelsIsUnavailable) {
  const grpc::Status cancelled(grpc::StatusCode::CANCELLED, "it ends");
  peer_.Expect({{cancelled}, {cancelled}});
  EXPECT_TRUE(client_->Get("k").ok());
  EXPECT_EQ(peer_.calls(), 3u);
  peer_.Expect({{cancelled}});
  EXPECT_EQ(client_->Incr("n").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(peer_.calls(), 4u);
}

TEST_F(RetryingTest, AServerThatRefusesAllIsSentLittle) {
  peer_.Expect(std::vector<Script>(10'000, Script{Overloaded()}));
  std::string held_back;
  for (int i = 0; i < 500; ++i) {
    const auto reply = client_->Get("k");
    ASSERT_EQ(reply.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(reply.status()), "OVERLOADED");
    if (reply.status().message() != "too much") held_back = std::string(reply.status().message());
  }
  EXPECT_LT(peer_.calls(), 100u);
  EXPECT_EQ(held_back, "not sent to " + peer_.address() + ": it has more calls than it can take");
}

TEST_F(RetryingTest, WhatIsFullForOneOperationIsNoOverload) {
  peer_.Expect(std::vector<Script>(10'000, Script{kExhausted}));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client_->Get("k").status().message(), "too much");
  EXPECT_EQ(peer_.calls(), 100u);
}

TEST_F(RetryingTest, NoTryIsAwaitedThatCannotStartBeforeTheDeadline) {
  peer_.Expect({{kUnavailable, "3600000"}});
  const absl::Status status = client_->Get("k").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RetryAfter(status), absl::Hours(1));
  EXPECT_EQ(peer_.calls(), 1u);
}

TEST_F(RetryingTest, AScanGoesOnWhereItBroke) {
  peer_.Expect({{kUnavailable}, {kUnavailable}});
  std::string keys;
  const absl::Status status = client_->Scan({}, [&](const v1::ScanEntry& entry) {
    keys += entry.key();
    return true;
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(keys, "0123456789");
  const auto seen = peer_.scan_requests();
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_EQ(seen[0].cursor(), "");
  EXPECT_EQ(seen[1].cursor(), "5");
  EXPECT_EQ(seen[2].cursor(), "5");
}

TEST_F(RetryingTest, AScanThatGoesOnAsksOnlyForTheRest) {
  peer_.Expect({{kUnavailable}});
  v1::ScanRequest request;
  request.set_limit(7);
  const auto page = client_->ScanPage(request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->entries_size(), 7);
  EXPECT_EQ(page->cursor(), "7");
  EXPECT_EQ(peer_.scan_requests().back().limit(), 2u);
}

TEST_F(RetryingTest, ABatchWithTooFewAnswersIsAnError) {
  const auto reply = client_->MGet({"a", "b"});
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(reply.status().message(), "the server answered 0 of 2 items of a batch");
}

}  // namespace
}  // namespace ferrite
