// Calls that share frames, against a peer that delays or fails them.

#include <gtest/gtest.h>

#include <vector>

#include "client/error.h"
#include "client/future.h"
#include "client/retry.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/client_fixture.h"
#include "tests/client/frame_peer.h"
#include "tests/client/scripted_peer.h"

namespace ferrite {
namespace {

class FrameStreamTest : public testing::Test {
 protected:
  Future<v1::GetResponse> Get(const std::string& key, const CallOptions& options = {}) {
    return FutureOf<v1::GetResponse>(
        [&](auto done) { client_->GetAsync(GetOf(key), options, std::move(done)); });
  }
  Future<v1::IncrResponse> Incr(const std::string& key, const std::string& request_id = "") {
    v1::IncrRequest request;
    request.set_key(key);
    request.set_request_id(request_id);
    return FutureOf<v1::IncrResponse>(
        [&](auto done) { client_->IncrAsync(request, {}, std::move(done)); });
  }

  FramePeer peer_;
  // With one frame under way the calls that still wait are known.
  std::unique_ptr<Client> client_ =
      ClientOf(peer_.address(), {.batching = {.max_frames_in_flight = 1}});
};

TEST_F(FrameStreamTest, CallsGatherWhileAFrameIsUnderWay) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  std::vector<Future<v1::GetResponse>> others;
  for (const char* key : {"b", "c", "d"}) others.push_back(Get(key));
  peer_.Release();
  EXPECT_EQ(first.get()->value(), "of a");
  EXPECT_EQ(others[0].get()->value(), "of b");
  EXPECT_EQ(others[1].get()->value(), "of c");
  EXPECT_EQ(others[2].get()->value(), "of d");
  EXPECT_EQ(peer_.frames(), 2u);
  EXPECT_EQ(peer_.KeysOf(0), "a");
  EXPECT_EQ(peer_.KeysOf(1), "bcd");
}

TEST_F(FrameStreamTest, AFrameHoldsUpTo1024Operations) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  std::vector<Future<v1::GetResponse>> others;
  for (int i = 0; i < 1025; ++i) others.push_back(Get("b", {.timeout = absl::Hours(1)}));
  peer_.Release();
  for (auto& other : others) EXPECT_TRUE(other.get().ok());
  EXPECT_EQ(peer_.KeysOf(1).size(), 1024u);
  EXPECT_EQ(peer_.KeysOf(2).size(), 1u);
}

TEST_F(FrameStreamTest, AFrameHoldsUpToAMebibyte) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  const std::string long_key(60'000, 'k');
  std::vector<Future<v1::GetResponse>> others;
  for (int i = 0; i < 20; ++i) others.push_back(Get(long_key));
  peer_.Release();
  for (auto& other : others) EXPECT_TRUE(other.get().ok());
  EXPECT_EQ(peer_.KeysOf(1).size(), 17u * 60'000);
  EXPECT_EQ(peer_.KeysOf(2).size(), 3u * 60'000);
}

TEST_F(FrameStreamTest, EachOperationSaysHowLongItsCallerWaitsAndInWhichTrace) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto first = Get("a");
  peer_.AwaitFrames(1);
  auto patient = Get("b", {.timeout = absl::Hours(2), .traceparent = trace});
  auto brief = Get("c", {.timeout = absl::Hours(1), .traceparent = "no\nheader"});
  auto verbose = Get("d", {.timeout = absl::Hours(1), .traceparent = std::string(257, 'a')});
  peer_.Release();
  EXPECT_TRUE(first.get().ok() && patient.get().ok() && brief.get().ok() && verbose.get().ok());
  constexpr int64_t kHourMs = 3'600'000;
  const v1::PipelineRequest frame = peer_.frame(1);
  ASSERT_EQ(frame.operations_size(), 3);
  EXPECT_EQ(frame.operations(2).traceparent(), "") << "too long";
  EXPECT_GT(frame.operations(0).timeout_ms(), kHourMs);
  EXPECT_LE(frame.operations(0).timeout_ms(), 2 * kHourMs);
  EXPECT_EQ(frame.operations(0).traceparent(), trace);
  EXPECT_GT(frame.operations(1).timeout_ms(), 0);
  EXPECT_LE(frame.operations(1).timeout_ms(), kHourMs);
  EXPECT_EQ(frame.operations(1).traceparent(), "");
}

v1::OperationError MemoryFull(std::optional<int64_t> pushback_ms) {
  v1::OperationError error;
  error.set_code(static_cast<int>(absl::StatusCode::kResourceExhausted));
  error.set_message("full");
  error.set_reason(v1::MEMORY_FULL);
  (*error.mutable_metadata())["limit"] = "1000";
  if (pushback_ms.has_value()) error.set_retry_pushback_ms(*pushback_ms);
  return error;
}

TEST_F(FrameStreamTest, AnOperationThatIsRefusedForAWhileIsTriedAgainWhenThatIsOver) {
  peer_.Release();
  peer_.Refuse({MemoryFull(1), MemoryFull(0)});
  EXPECT_EQ(Get("a").get()->value(), "of a");
  EXPECT_EQ(peer_.frames(), 3u);
}

TEST_F(FrameStreamTest, AnOperationIsNotTriedAgainWhereThatCannotHelpOrDoesHarm) {
  peer_.Release();
  peer_.Refuse({MemoryFull(std::nullopt)});
  const absl::Status never = Get("a").get().status();
  EXPECT_EQ(never.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(RetryAfter(never).has_value());
  EXPECT_EQ(peer_.frames(), 1u);

  peer_.Refuse({MemoryFull(3'600'000)});
  const absl::Status after_the_deadline = Get("a").get().status();
  EXPECT_EQ(after_the_deadline.message(), "full");
  EXPECT_EQ(RetryAfter(after_the_deadline), absl::Hours(1));
  EXPECT_EQ(ReasonOf(after_the_deadline), "MEMORY_FULL");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(info.ParseFromString(std::string(*after_the_deadline.GetPayload(kErrorInfoTypeUrl))));
  EXPECT_EQ(info.metadata().at("limit"), "1000");
  EXPECT_EQ(peer_.frames(), 2u);

  peer_.Refuse({MemoryFull(1)});
  EXPECT_EQ(RetryAfter(Incr("n").get().status()), absl::Milliseconds(1));
  EXPECT_EQ(peer_.frames(), 3u);
  peer_.Refuse({MemoryFull(1)});
  EXPECT_TRUE(Incr("n", "id").get().ok());
}

TEST_F(FrameStreamTest, DeadlinesMeetCallsInTheQueueAndInAFrame) {
  const CallOptions brief = {.timeout = absl::Milliseconds(30)};
  auto in_frame = Get("a", brief);
  auto in_queue = Get("b", brief);
  auto patient = Get("c");
  EXPECT_EQ(in_frame.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(in_queue.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  peer_.Release();
  EXPECT_EQ(patient.get()->value(), "of c");
  EXPECT_EQ(peer_.KeysOf(peer_.frames() - 1).back(), 'c');
}

TEST_F(FrameStreamTest, WhatIsTooLateIsNotSent) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  auto brief = Get("b", {.timeout = absl::Milliseconds(10)});
  auto patient = Get("c");
  const auto late = brief.get();
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(late.status().message(), "no answer from " + peer_.address() + " within 10ms");
  peer_.Release();
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(patient.get()->value(), "of c");
  EXPECT_EQ(peer_.KeysOf(1), "c");
}

TEST_F(FrameStreamTest, DeadlinesThatLieInAnyOrderAreMet) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  std::vector<Future<v1::GetResponse>> others;
  for (const int ms : {1200, 30, 2, 1100, 1, 15, 1500, 40}) {
    others.push_back(Get("b", {.timeout = absl::Milliseconds(ms)}));
  }
  for (auto& other : others) {
    EXPECT_EQ(other.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  EXPECT_EQ(peer_.frames(), 1u);
}

TEST_F(FrameStreamTest, CancellationMeetsCallsWhereverTheyAre) {
  auto stop = std::make_shared<Cancellation>();
  auto in_frame = Get("a", {.cancellation = stop});
  peer_.AwaitFrames(1);
  auto in_queue = Get("b", {.cancellation = stop});
  auto other = Get("c");
  stop->Cancel();
  EXPECT_EQ(in_frame.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(in_queue.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Get("d", {.cancellation = stop}).get().status().code(), absl::StatusCode::kCancelled);
  peer_.Release();
  EXPECT_EQ(other.get()->value(), "of c");
  EXPECT_EQ(peer_.KeysOf(1), "c");
  stop->Cancel();  // has no further effect
}

TEST_F(FrameStreamTest, ACancellationMayOutliveItsCallsAndTheClient) {
  auto stop = std::make_shared<Cancellation>();
  peer_.Release();
  EXPECT_TRUE(Get("a", {.cancellation = stop}).get().ok());
  client_.reset();
  stop->Cancel();
}

TEST_F(FrameStreamTest, ALostStreamIsHarmlessToWhatMayBeRepeated) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  auto unsent = Incr("b");
  peer_.Break({grpc::StatusCode::UNAVAILABLE, "gone"});
  peer_.AwaitFrames(2);
  peer_.Release();
  EXPECT_EQ(first.get()->value(), "of a");
  EXPECT_TRUE(unsent.get().ok());  // had not been sent
}

TEST_F(FrameStreamTest, OfWhatMayNotBeRepeatedTheOutcomeIsUnknown) {
  auto incr = Incr("a");
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::UNAVAILABLE, "gone"});
  const auto outcome = incr.get();
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(
      outcome.status().message(),
      peer_.address() + " is unavailable: gone; whether the call was carried out is not known");
  EXPECT_EQ(peer_.frames(), 1u);
}

TEST_F(FrameStreamTest, ARequestIdMakesItRepeatable) {
  auto incr = Incr("a", NewRequestId());
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::UNAVAILABLE, "gone"});
  peer_.AwaitFrames(2);
  peer_.Release();
  EXPECT_TRUE(incr.get().ok());
}

TEST_F(FrameStreamTest, WhatTheFirstTryMayHaveDoneTheLastDoesNotDeny) {
  auto incr = Incr("a", NewRequestId());
  peer_.AwaitFrames(1);
  v1::OperationError busy;
  busy.set_code(8);
  busy.set_reason(v1::OVERLOADED);
  peer_.Refuse({busy});
  peer_.Break({grpc::StatusCode::UNAVAILABLE, "gone"});
  peer_.AwaitFrames(2);
  peer_.Release();
  const absl::Status status = incr.get().status();
  EXPECT_EQ(ReasonOf(status), "OVERLOADED");
  EXPECT_TRUE(MayBeDone(status)) << status;
}

TEST_F(FrameStreamTest, AServerThatEndsTheStreamWithoutAReasonIsUnavailable) {
  auto incr = Incr("a");
  peer_.AwaitFrames(1);
  peer_.Break(grpc::Status::OK);
  EXPECT_EQ(incr.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FrameStreamTest, AServerThatShutsDownHasNotExecutedWhatItDidNotAnswer) {
  google::rpc::ErrorInfo info;
  info.set_reason("SHUTTING_DOWN");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  auto incr = Incr("a");
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::UNAVAILABLE, "going", details.SerializeAsString()});
  peer_.AwaitFrames(2);
  peer_.Release();
  EXPECT_TRUE(incr.get().ok());
}

TEST_F(FrameStreamTest, AnErrorThatDoesNotGoAwayIsFinal) {
  auto get = Get("a");
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::PERMISSION_DENIED, "not you"});
  EXPECT_EQ(get.get().status().message(), "not you");
}

TEST_F(FrameStreamTest, AnswersThatNobodyAskedForAreNotMistakenForOthers) {
  peer_.AnswerTwice();
  peer_.Release();
  EXPECT_EQ(Get("a").get().status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Get("b").get()->value(), "of b");
}

TEST_F(FrameStreamTest, WhatCouldNotBeToldApartWasNotCancelledByItsCaller) {
  client_ = ClientOf(peer_.address());
  auto first = Get("a");
  peer_.AwaitFrames(1);
  auto behind = Incr("b");
  peer_.AnswerTwice();
  peer_.Release();
  EXPECT_EQ(first.get().status().code(), absl::StatusCode::kInternal);
  const auto outcome = behind.get();  // OK if it had not been sent yet
  EXPECT_TRUE(outcome.ok() || absl::IsUnavailable(outcome.status())) << outcome.status();
}

TEST_F(FrameStreamTest, WhatTheServerCancelsIsUnavailable) {
  auto get = Get("a");
  auto incr = Incr("n");
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::CANCELLED, "it ends"});
  peer_.AwaitFrames(2);
  peer_.Release();
  EXPECT_TRUE(get.get().ok());
  const auto outcome = incr.get();
  EXPECT_TRUE(outcome.ok() || absl::IsUnavailable(outcome.status())) << outcome.status();
}

TEST_F(FrameStreamTest, ACallThatIsCancelledWhenItIsToGoElsewhereWasCancelled) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  auto stop = std::make_shared<Cancellation>();
  // The two share a frame; the outcome of the one comes before the other's is looked at.
  client_->GetAsync(GetOf("b"), {}, [stop](const auto&) { stop->Cancel(); });
  auto moved = Get("c", {.cancellation = stop});
  peer_.AnswerOne();
  peer_.AwaitFrames(2);
  v1::OperationError elsewhere;
  elsewhere.set_code(9);
  elsewhere.set_reason(v1::SLOT_MOVED);
  peer_.Refuse({MemoryFull(std::nullopt), elsewhere});
  peer_.AnswerOne();
  EXPECT_EQ(moved.get().status().message(), "the caller cancelled the call before it had ended");
}

TEST_F(FrameStreamTest, AServerThatAsksToComeLaterIsLeftAlone) {
  const auto pushback = std::chrono::milliseconds(300);
  auto first = Get("a");
  peer_.AwaitFrames(1);
  auto unsent = Get("b");
  const auto start = std::chrono::steady_clock::now();
  peer_.Break({grpc::StatusCode::RESOURCE_EXHAUSTED, "too much"}, "300");
  peer_.AwaitFrames(2);
  EXPECT_GE(std::chrono::steady_clock::now() - start, pushback);
  peer_.Release();
  EXPECT_EQ(first.get()->value(), "of a");
  EXPECT_EQ(unsent.get()->value(), "of b");
}

TEST_F(FrameStreamTest, DeadlinesAreMetWhileTheServerIsLeftAlone) {
  auto lost = Incr("a");
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::RESOURCE_EXHAUSTED, "too much"}, "60000");
  EXPECT_EQ(lost.get().status().code(), absl::StatusCode::kResourceExhausted);
  const auto outcome = Get("b", {.timeout = absl::Milliseconds(30)}).get();
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(peer_.frames(), 1u);
}

TEST_F(FrameStreamTest, WhatCouldNotBeAnsweredInTimeFailsAtOnce) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  std::vector<Future<v1::GetResponse>> others;
  for (int i = 0; i < 3000; ++i) others.push_back(Get("b"));
  peer_.AnswerOne();
  peer_.AwaitFrames(2);
  // Answers come slowly, and thousands of calls wait.
  Future<v1::GetResponse> brief;
  do {
    brief = Get("c", {.timeout = absl::Seconds(1)});
  } while (brief.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
  const auto outcome = brief.get();
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(outcome.status().message(),
            "not sent to " + peer_.address() +
                ": after the calls that wait already it could not have been done before its "
                "deadline");
  peer_.Release();
  EXPECT_TRUE(first.get().ok());
  for (auto& other : others) EXPECT_TRUE(other.get().ok());
  EXPECT_EQ(Get("d").get()->value(), "of d");  // once they are answered, calls are accepted again
}

TEST_F(FrameStreamTest, ASlowServerGetsSmallFrames) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  std::vector<Future<v1::GetResponse>> others;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(60);
  while (others.size() < 2000 || std::chrono::steady_clock::now() < end) {
    others.push_back(Get("b", {.timeout = absl::Seconds(60)}));
  }
  peer_.AnswerOne();
  peer_.AwaitFrames(2);
  // One in 60 ms makes 125 in an eighth of a minute.
  EXPECT_GE(peer_.KeysOf(1).size(), 64u);
  EXPECT_LE(peer_.KeysOf(1).size(), 125u);
  peer_.Release();
  for (auto& other : others) EXPECT_TRUE(other.get().ok());
}

TEST_F(FrameStreamTest, ASilentServerIsNotTakenForASlowOne) {
  auto first = Get("a");
  peer_.AwaitFrames(1);
  std::vector<Future<v1::GetResponse>> others;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(60);
  while (others.size() < 3000 || std::chrono::steady_clock::now() < end) {
    others.push_back(Get("b", {.timeout = absl::Seconds(50)}));
  }
  peer_.Release();
  for (auto& other : others) EXPECT_TRUE(other.get().ok());
}

TEST_F(FrameStreamTest, TheEndOfTheClientCancelsCalls) {
  Outcomes outcomes;
  Client* const same = client_.get();
  for (int i = 0; i < 2000; ++i) {
    client_->GetAsync(GetOf("k"), {}, [&outcomes, same, i](const auto& outcome) {
      outcomes.Add(outcome);
      if (i >= 1000) return;
      same->GetAsync(GetOf("k"), {}, [&outcomes](const auto& next) { outcomes.Add(next); });
    });
  }
  peer_.AwaitFrames(1);
  client_.reset();
  EXPECT_EQ(outcomes.all(), 3000);
  EXPECT_EQ(outcomes.cancelled(), 3000);
}

TEST_F(FrameStreamTest, TheEndOfTheClientMeetsCallsThatWaitToBeTriedAgain) {
  auto client = ClientOf(peer_.address(), {.retry = {.max_backoff = absl::Hours(1)}});
  Outcomes outcomes;
  client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
  peer_.AwaitFrames(1);
  peer_.Break({grpc::StatusCode::UNAVAILABLE, "gone"});
  client.reset();
  EXPECT_EQ(outcomes.all(), 1);
  EXPECT_EQ(outcomes.cancelled(), 1);
}

TEST(OldServerTest, CallsGoAlone) {
  ScriptedPeer peer;  // does not know Pipeline
  auto client = ClientOf(peer.address());
  std::vector<Future<v1::GetResponse>> calls;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(FutureOf<v1::GetResponse>(
        [&](auto done) { client->GetAsync(GetOf(std::to_string(i)), {}, std::move(done)); }));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(calls[i].get()->value(), "of " + std::to_string(i));
  EXPECT_EQ(client->Get("again")->value(), "of again");
  EXPECT_EQ(peer.calls(), 101u);
}

TEST(OldServerTest, ACancellationMeetsACallOnItsOwn) {
  ScriptedPeer peer;
  peer.Expect({Script{.hold = true}});
  auto client = ClientOf(peer.address(), {.batching = {.enabled = false}});
  auto stop = std::make_shared<Cancellation>();
  auto call = FutureOf<v1::GetResponse>(
      [&](auto done) { client->GetAsync(GetOf("k"), {.cancellation = stop}, std::move(done)); });
  peer.AwaitCalls(1);
  stop->Cancel();
  const auto outcome = call.get();
  EXPECT_EQ(outcome.status().message(), "the caller cancelled the call before it had ended");
  EXPECT_EQ(client->Get(GetOf("k"), {.cancellation = stop}).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(peer.calls(), 1u);
}

}  // namespace
}  // namespace ferrite
