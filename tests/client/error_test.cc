#include "client/error.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

namespace ferrite {
namespace {

constexpr char kAddress[] = "127.0.0.1:6380";

absl::Status Translate(const grpc::Status& status) {
  return ToAbslStatus(status, kAddress, absl::Seconds(1));
}

grpc::Status WithReason(const std::string& reason,
                        grpc::StatusCode code = grpc::StatusCode::INVALID_ARGUMENT,
                        const std::string& message = "a key is longer than 4 KiB") {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("ferrite");
  (*info.mutable_metadata())["limit"] = "4096";
  google::rpc::Status details;
  details.set_code(3);
  details.add_details()->PackFrom(info);
  return {code, message, details.SerializeAsString()};
}

TEST(ErrorTest, OkStaysOk) { EXPECT_TRUE(Translate(grpc::Status::OK).ok()); }

TEST(ErrorTest, CodesAndTheServersWordsStay) {
  const absl::Status status = Translate(WithReason("KEY_TOO_LARGE"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "a key is longer than 4 KiB");
}

TEST(ErrorTest, TheReasonAndItsFactsStay) {
  const absl::Status status = Translate(WithReason("KEY_TOO_LARGE"));
  EXPECT_EQ(ReasonOf(status), "KEY_TOO_LARGE");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(std::string(*status.GetPayload(kErrorInfoTypeUrl))));
  EXPECT_EQ(info.domain(), "ferrite");
  EXPECT_EQ(info.metadata().at("limit"), "4096");
}

TEST(ErrorTest, AnOperationsErrorWithoutAReasonKeepsTheRest) {
  v1::OperationError error;
  error.set_code(8);
  error.set_retry_pushback_ms(250);
  EXPECT_EQ(ReasonOf(ToAbslStatus(error)), "");
  EXPECT_EQ(RetryAfter(ToAbslStatus(error)), absl::Milliseconds(250));
  error.set_code(0);
  EXPECT_FALSE(ToAbslStatus(error).ok()) << "an error is never a success";
}

TEST(ErrorTest, AnOperationsErrorHasTheSameDetails) {
  v1::OperationError error;
  error.set_code(8);
  error.set_message("full");
  error.set_reason(v1::MEMORY_FULL);
  (*error.mutable_metadata())["limit"] = "4096";
  error.set_retry_pushback_ms(250);
  const absl::Status status = ToAbslStatus(error);
  EXPECT_EQ(ReasonOf(status), "MEMORY_FULL");
  EXPECT_EQ(RetryAfter(status), absl::Milliseconds(250));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(std::string(*status.GetPayload(kErrorInfoTypeUrl))));
  EXPECT_EQ(info.metadata().at("limit"), "4096");
}

TEST(ErrorTest, APushbackIsATimeOrNothing) {
  for (const char* text : {"-1", "", "soon", "1.5"}) {
    absl::Status status = absl::ResourceExhaustedError("no");
    SetRetryAfter(text, &status);
    EXPECT_FALSE(RetryAfter(status).has_value()) << text;
  }
  EXPECT_FALSE(RetryAfter(absl::OkStatus()).has_value());
}

TEST(ErrorTest, WithoutDetailsThereIsNoReason) {
  EXPECT_EQ(ReasonOf(Translate({grpc::StatusCode::INTERNAL, "x"})), "");
  EXPECT_EQ(ReasonOf(Translate({grpc::StatusCode::INTERNAL, "x", "\xff garbage"})), "");
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
}

TEST(ErrorTest, NobodyThereIsSaidPlainly) {
  const absl::Status status =
      Translate({grpc::StatusCode::UNAVAILABLE,
                 "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:6380: "
                 "Failed to connect to remote host: Connection refused"});
  EXPECT_EQ(status.message(), "cannot reach 127.0.0.1:6380: Connection refused");
}

TEST(ErrorTest, WhatANodeSaysOfAnotherIsNotTakenForItsOwn) {
  const std::string text =
      "node n2 at 127.0.0.1:6382, to which this belongs, could not be reached: failed to connect "
      "to "
      "all addresses; nothing was done";
  const grpc::Status status = WithReason("PEER_UNREACHABLE", grpc::StatusCode::UNAVAILABLE, text);
  EXPECT_FALSE(CouldNotConnect(status));
  EXPECT_EQ(Translate(status).message(), text);
  EXPECT_TRUE(
      CouldNotConnect({grpc::StatusCode::UNAVAILABLE, "failed to connect to all addresses"}));
}

TEST(ErrorTest, WhatAnEarlierTryMayHaveDoneIsNotDenied) {
  v1::OperationError error;
  error.set_code(14);
  error.set_message("nobody owns it; nothing was done");
  error.set_reason(v1::SLOT_UNOWNED);
  error.set_retry_pushback_ms(7);
  const absl::Status status = AfterLostTry(ToAbslStatus(error));
  EXPECT_TRUE(MayBeDone(status));
  EXPECT_EQ(ReasonOf(status), "SLOT_UNOWNED");
  EXPECT_EQ(RetryAfter(status), absl::Milliseconds(7));
  EXPECT_EQ(status.message(),
            "nobody owns it; nothing was done; an earlier try may have been carried out");
  EXPECT_EQ(AfterLostTry(absl::UnavailableError("gone")), absl::UnavailableError("gone"));
  EXPECT_TRUE(AfterLostTry(absl::OkStatus()).ok());
}

TEST(ErrorTest, NoAnswerNamesTheTime) {
  EXPECT_EQ(Translate({grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"}).message(),
            "no answer from 127.0.0.1:6380 within 1s");
  EXPECT_EQ(
      Translate(WithReason("DEADLINE_PASSED", grpc::StatusCode::DEADLINE_EXCEEDED, "too late"))
          .message(),
      "too late")
      << "that is an answer";
}

TEST(ErrorTest, WhatANodeCancelsIsNotTakenForTheCallersWish) {
  const absl::Status status =
      Translate({grpc::StatusCode::CANCELLED, "Received RST_STREAM with error code 8"});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(status.message(),
            "127.0.0.1:6380 is unavailable: it has cancelled the call: Received RST_STREAM with "
            "error code 8");
}

TEST(ErrorTest, ABrokenConnectionNamesTheNode) {
  EXPECT_EQ(Translate({grpc::StatusCode::UNAVAILABLE, "Socket closed"}).message(),
            "127.0.0.1:6380 is unavailable: Socket closed");
}

TEST(ErrorTest, AnEmptyMessageIsFilledIn) {
  EXPECT_EQ(Translate({grpc::StatusCode::UNKNOWN, ""}).message(),
            "the call to 127.0.0.1:6380 failed");
}

}  // namespace
}  // namespace ferrite
