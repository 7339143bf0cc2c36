// The verdicts on calls, from results of frames and from ends of streams.

#include "client/pipeline/call_verdict.h"

#include <gtest/gtest.h>

#include "absl/strings/cord.h"
#include "client/error.h"
#include "google/rpc/error_details.pb.h"
#include "tests/client/queued_call.h"

namespace ferrite {
namespace {

using Kind = CallVerdict::Kind;
using Result = v1::OperationResult;

CallTerms Terms(bool repeatable) {
  CallTerms terms;
  terms.repeatable = repeatable;
  return terms;
}

absl::Status Refusal(absl::StatusCode code, const std::string& reason,
                     const std::string& executed = "") {
  absl::Status status(code, "refused");
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  if (!executed.empty()) (*info.mutable_metadata())["executed"] = executed;
  status.SetPayload(kErrorInfoTypeUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

class CallVerdictTest : public testing::Test {
 protected:
  // The verdict on a call that gets an error.
  CallVerdict OnError(int code, v1::ErrorReason reason, const std::string& executed = "") {
    v1::OperationError error;
    if (!executed.empty()) (*error.mutable_metadata())["executed"] = executed;
    error.set_code(code);
    error.set_message("no");
    error.set_reason(reason);
    bytes_ = error.SerializeAsString();
    return VerdictOnResult(FrameResult{Result::kErrorFieldNumber, bytes_},
                           repeatable_ ? &call_ : &unrepeatable_call_);
  }

  bool repeatable_ = true;
  QueuedCall call_{Terms(/*repeatable=*/true)};
  QueuedCall unrepeatable_call_{Terms(/*repeatable=*/false)};
  std::string bytes_;
};

TEST_F(CallVerdictTest, TheResponseOfItsOperationIsDelivered) {
  const CallVerdict verdict =
      VerdictOnResult(FrameResult{Result::kGetFieldNumber, "response"}, &call_);
  EXPECT_EQ(verdict.kind, Kind::kDeliver);
  EXPECT_TRUE(verdict.status.ok());
  EXPECT_EQ(call_.response, "response");
}

TEST_F(CallVerdictTest, AnythingElseIsAnErrorOfTheServer) {
  for (const auto& result : {
           std::optional<FrameResult>(),
           std::optional<FrameResult>(FrameResult{0, ""}),
           std::optional<FrameResult>(FrameResult{Result::kSetFieldNumber, ""}),
           std::optional<FrameResult>(FrameResult{Result::kGetFieldNumber, "malformed"}),
           std::optional<FrameResult>(FrameResult{Result::kErrorFieldNumber, "\xff"}),
       }) {
    const CallVerdict verdict = VerdictOnResult(result, &call_);
    EXPECT_EQ(verdict.kind, Kind::kDeliver);
    EXPECT_EQ(verdict.status.code(), absl::StatusCode::kInternal);
  }
}

TEST_F(CallVerdictTest, AnErrorIsDeliveredUnlessItIsWorthAnotherTry) {
  const CallVerdict verdict = OnError(8, v1::MEMORY_FULL);
  EXPECT_EQ(verdict.kind, Kind::kTryAgain);
  EXPECT_TRUE(verdict.repeatable);
  EXPECT_EQ(verdict.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(verdict.status.message(), "no");
  EXPECT_EQ(ReasonOf(verdict.status), "MEMORY_FULL");
  EXPECT_FALSE(verdict.pushback.has_value());
}

TEST_F(CallVerdictTest, WhatHadNoRoomInTheReplyIsSentAlone) {
  EXPECT_EQ(OnError(8, v1::REPLY_TOO_LARGE).kind, Kind::kSendAlone);
  repeatable_ = false;
  EXPECT_EQ(OnError(8, v1::REPLY_TOO_LARGE).kind, Kind::kSendAlone);
}

TEST_F(CallVerdictTest, WhatWasDoneButHadNoRoomInTheReplyIsNotDoneAgainUnlessThatDoesNoHarm) {
  EXPECT_EQ(OnError(8, v1::REPLY_TOO_LARGE, "yes").kind, Kind::kSendAlone);
  repeatable_ = false;
  const CallVerdict verdict = OnError(8, v1::REPLY_TOO_LARGE, "yes");
  EXPECT_NE(verdict.kind, Kind::kSendAlone);
  EXPECT_FALSE(verdict.repeatable);
  EXPECT_EQ(ReasonOf(verdict.status), "REPLY_TOO_LARGE");
}

TEST_F(CallVerdictTest, WhatCertainlyWasNotDoneMayBeDoneAgain) {
  repeatable_ = false;
  EXPECT_TRUE(OnError(14, v1::SHUTTING_DOWN).repeatable);
  EXPECT_TRUE(OnError(8, v1::OVERLOADED).repeatable);
  EXPECT_FALSE(OnError(8, v1::OVERLOADED, "yes").repeatable);
  EXPECT_TRUE(OnError(14, v1::LEASE_LOST, "no").repeatable);
  EXPECT_FALSE(OnError(14, v1::LEASE_LOST, "unknown").repeatable);
}

TEST_F(CallVerdictTest, WhatWasSentOnABrokenStreamIsTriedAgainIfThatDoesNoHarm) {
  const absl::Status broken = absl::UnavailableError("broken");
  const CallVerdict repeatable =
      VerdictOnBrokenStream(broken, true, /*repeatable=*/true, /*has_choice=*/false);
  EXPECT_EQ(repeatable.kind, Kind::kTryAgain);
  EXPECT_TRUE(repeatable.repeatable);
  EXPECT_EQ(repeatable.status, broken);
  const CallVerdict other =
      VerdictOnBrokenStream(broken, true, /*repeatable=*/false, /*has_choice=*/false);
  EXPECT_FALSE(other.repeatable);
  EXPECT_EQ(other.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(other.status.message(), "broken; whether the call was carried out is not known");
}

TEST_F(CallVerdictTest, WhatTheServerSaysItDidNotExecuteDoesNoHarm) {
  for (const char* reason : {"SHUTTING_DOWN", "OVERLOADED", "MALFORMED"}) {
    const absl::Status why = Refusal(absl::StatusCode::kUnavailable, reason);
    const CallVerdict verdict =
        VerdictOnBrokenStream(why, true, /*repeatable=*/false, /*has_choice=*/false);
    EXPECT_TRUE(verdict.repeatable) << reason;
    EXPECT_EQ(verdict.status, why);
  }
  const absl::Status why = Refusal(absl::StatusCode::kUnavailable, "ANOTHER");
  const CallVerdict verdict =
      VerdictOnBrokenStream(why, true, /*repeatable=*/false, /*has_choice=*/false);
  EXPECT_FALSE(verdict.repeatable);
  EXPECT_EQ(ReasonOf(verdict.status), "ANOTHER");
}

TEST_F(CallVerdictTest, WhatWasNotSentWasNotCarriedOut) {
  const absl::Status broken = absl::UnavailableError("broken");
  const CallVerdict verdict =
      VerdictOnBrokenStream(broken, false, /*repeatable=*/false, /*has_choice=*/false);
  EXPECT_EQ(verdict.kind, Kind::kTryAgain);
  EXPECT_FALSE(verdict.repeatable);
  EXPECT_EQ(verdict.status, broken);
}

TEST_F(CallVerdictTest, WhereThereAreOtherNodesTheyGetWhatWasNotCarriedOut) {
  const absl::Status broken = absl::UnavailableError("broken");
  const CallVerdict unsent =
      VerdictOnBrokenStream(broken, false, /*repeatable=*/false, /*has_choice=*/true);
  EXPECT_TRUE(unsent.repeatable);
  EXPECT_TRUE(unsent.patient);
  const CallVerdict sent =
      VerdictOnBrokenStream(broken, true, /*repeatable=*/false, /*has_choice=*/true);
  EXPECT_FALSE(sent.repeatable);
  const absl::Status ends = Refusal(absl::StatusCode::kUnavailable, "SHUTTING_DOWN");
  EXPECT_TRUE(VerdictOnBrokenStream(ends, true, false, /*has_choice=*/true).patient);
  EXPECT_FALSE(VerdictOnBrokenStream(ends, true, true, /*has_choice=*/false).patient);
}

TEST_F(CallVerdictTest, WhatMayHaveBeenDoneWhenANodeEndsIsNotSentToAnother) {
  const absl::Status ends =
      Refusal(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", /*executed=*/"unknown");
  for (const bool has_choice : {false, true}) {
    const CallVerdict verdict = VerdictOnBrokenStream(ends, true, /*repeatable=*/false, has_choice);
    EXPECT_FALSE(verdict.repeatable);
    EXPECT_TRUE(verdict.may_be_done);
    EXPECT_TRUE(VerdictOnBrokenStream(ends, true, /*repeatable=*/true, has_choice).repeatable);
  }
}

TEST_F(CallVerdictTest, AMovedSlotIsFollowed) {
  EXPECT_EQ(OnError(9, v1::SLOT_MOVED).kind, Kind::kFollow);
}

TEST_F(CallVerdictTest, WhatNobodyServesForNowIsTriedForAsLongAsThereIsTime) {
  for (const v1::ErrorReason reason :
       {v1::SLOT_IN_TRANSITION, v1::SLOT_UNOWNED, v1::LEASE_LOST, v1::PEER_UNREACHABLE}) {
    EXPECT_TRUE(OnError(14, reason).patient) << reason;
  }
  EXPECT_FALSE(OnError(14, v1::SHUTTING_DOWN).patient);
}

TEST_F(CallVerdictTest, AServerWithoutPipelineGetsEachCallAlone) {
  const absl::Status unknown = absl::UnimplementedError("Pipeline");
  EXPECT_EQ(VerdictOnBrokenStream(unknown, true, false, /*has_choice=*/false).kind,
            Kind::kSendAlone);
  EXPECT_EQ(VerdictOnBrokenStream(unknown, false, true, /*has_choice=*/false).kind,
            Kind::kSendAlone);
}

}  // namespace
}  // namespace ferrite
