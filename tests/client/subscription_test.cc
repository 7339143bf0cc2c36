// Subscriptions against a peer whose streams break on command.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/client_fixture.h"
#include "tests/client/event_diary.h"
#include "tests/client/event_peer.h"

namespace ferrite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

grpc::Status ExhaustedBecause(const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("ferrite");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too much", details.SerializeAsString()};
}

v1::SubscribeRequest RequestFor(const std::string& channel) {
  v1::SubscribeRequest request;
  request.add_channels(channel);
  return request;
}

class SubscriptionTest : public testing::Test {
 protected:
  // The next event as a word, or the error.
  static std::string Next(Subscription& subscription) {
    const auto event = subscription.Next(absl::InfiniteDuration());
    return event.ok() ? WordFor(*event) : "end " + absl::StatusCodeToString(event.status().code());
  }

  EventPeer peer_;
  std::unique_ptr<Client> client_ = ClientOf(peer_.address(), {.batching = {.enabled = false}});
};

TEST_F(SubscriptionTest, HandsOnEveryEventInOrder) {
  v1::SubscriptionEvent gap, beat;
  gap.mutable_discontinuity();
  beat.mutable_heartbeat();
  peer_.Expect({{.messages = {{AcknowledgementOf("0"), MessageOf("1")}, {gap}, {beat}}}});
  const auto subscription = client_->Subscribe(RequestFor("c"));
  for (const char* word : {"ack", "1", "gap", "beat"}) EXPECT_EQ(Next(*subscription), word);
  EXPECT_THAT(peer_.requests().at(0).channels(), ElementsAre("c"));
}

TEST_F(SubscriptionTest, NothingInTimeIsADeadlineExceeded) {
  const auto subscription = client_->Subscribe(RequestFor("c"));
  EXPECT_EQ(Next(*subscription), "ack");
  for (const absl::Duration timeout :
       {absl::Milliseconds(1), absl::ZeroDuration(), -absl::InfiniteDuration()}) {
    EXPECT_TRUE(absl::IsDeadlineExceeded(subscription->Next(timeout).status()));
  }
}

TEST_F(SubscriptionTest, ResumesAfterTheLastEventThatArrived) {
  peer_.Expect(
      {{.messages = {{AcknowledgementOf("0"), MessageOf("1"), MessageOf("2")}}, .end = kNotNow},
       {.messages = {{AcknowledgementOf("2", true)}, {MessageOf("3")}}, .end = kNotNow}});
  EventDiary diary;
  const auto subscription = client_->Subscribe(RequestFor("c"), diary.Callbacks());
  diary.Await(8);
  EXPECT_THAT(diary.words(), ElementsAre("ack", "1", "2", "lost UNAVAILABLE", "resumed", "3",
                                         "lost UNAVAILABLE", "ack"));
  const auto requests = peer_.requests();
  EXPECT_EQ(requests.at(0).resume_token(), "");
  EXPECT_EQ(requests.at(1).resume_token(), "2");
  EXPECT_EQ(requests.at(2).resume_token(), "3");
  EXPECT_THAT(requests.at(2).channels(), ElementsAre("c"));
}

TEST_F(SubscriptionTest, WhatWaitsOutlastsALoss) {
  peer_.Expect(
      {{.messages = {{AcknowledgementOf("0"), MessageOf("1"), MessageOf("2")}}, .end = kNotNow}});
  v1::SubscribeRequest request = RequestFor("c");
  request.set_resume_token("given");
  const auto subscription = client_->Subscribe(request);
  EXPECT_EQ(subscription->resume_token(), "given");
  peer_.AwaitStreams(2);  // no event has been taken yet
  EXPECT_EQ(subscription->resume_token(), "given");
  EXPECT_EQ(peer_.requests().at(0).resume_token(), "given");
  EXPECT_EQ(peer_.requests().at(1).resume_token(), "2");
  for (const char* word : {"ack", "1"}) EXPECT_EQ(Next(*subscription), word);
  EXPECT_EQ(subscription->resume_token(), "1");
  for (const char* word : {"2", "ack"}) EXPECT_EQ(Next(*subscription), word);
}

TEST_F(SubscriptionTest, TriesAgainWhateverMayPass) {
  std::vector<StreamScript> scripts = {{.end = grpc::Status::OK},
                                       {.end = ExhaustedBecause("OVERLOADED"), .pushback = "0"}};
  for (const auto code : {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::CANCELLED,
                          grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::INTERNAL,
                          grpc::StatusCode::UNKNOWN, grpc::StatusCode::RESOURCE_EXHAUSTED}) {
    scripts.push_back({.end = grpc::Status(code, "")});
  }
  peer_.Expect(scripts);
  const auto subscription = client_->Subscribe(RequestFor("c"));
  EXPECT_EQ(Next(*subscription), "ack");
  EXPECT_EQ(peer_.requests().size(), scripts.size() + 1);
}

TEST_F(SubscriptionTest, EndsWhereAnotherTryWouldEndAlike) {
  for (const auto code : {grpc::StatusCode::INVALID_ARGUMENT, grpc::StatusCode::UNIMPLEMENTED,
                          grpc::StatusCode::PERMISSION_DENIED}) {
    const size_t before = peer_.requests().size();
    peer_.Expect({{.end = grpc::Status(code, "no")}});
    EventDiary diary;
    const auto subscription = client_->Subscribe(RequestFor("c"), diary.Callbacks());
    diary.Await(1);
    EXPECT_EQ(diary.words().at(0).substr(0, 4), "end ");
    EXPECT_EQ(static_cast<int>(diary.why().code()), static_cast<int>(code));
    EXPECT_EQ(peer_.requests().size(), before + 1);
  }
}

TEST_F(SubscriptionTest, EndsIfTheServerSaysNever) {
  peer_.Expect({{.end = kNotNow, .pushback = "-1"}});
  const auto subscription = client_->Subscribe(RequestFor("c"));
  EXPECT_EQ(Next(*subscription), "end UNAVAILABLE");
  EXPECT_EQ(Next(*subscription), "end UNAVAILABLE") << "for good";
}

TEST_F(SubscriptionTest, ATooSlowOneIsOverAfterWhatHadArrived) {
  peer_.Expect({{.messages = {{AcknowledgementOf("0"), MessageOf("1")}},
                 .end = ExhaustedBecause("SUBSCRIBER_TOO_SLOW")}});
  const auto subscription = client_->Subscribe(RequestFor("c"));
  for (const char* word : {"ack", "1", "end RESOURCE_EXHAUSTED"}) {
    EXPECT_EQ(Next(*subscription), word);
  }
  EXPECT_EQ(ReasonOf(subscription->Next(absl::ZeroDuration()).status()), "SUBSCRIBER_TOO_SLOW");
  EXPECT_EQ(subscription->resume_token(), "1");
}

TEST_F(SubscriptionTest, SilenceIsABreak) {
  peer_.Expect({{.messages = {{AcknowledgementOf("0"), MessageOf("1")}}}});
  v1::SubscribeRequest request = RequestFor("c");
  request.set_heartbeat_ms(100);
  EventDiary diary;
  const auto subscription = client_->Subscribe(request, diary.Callbacks());
  diary.Await(4);
  EXPECT_EQ(diary.words().at(2), "lost UNAVAILABLE");
  EXPECT_EQ(diary.words().at(3), "ack");
  EXPECT_THAT(std::string(diary.why().message()), HasSubstr("has been silent for 300ms"));
  EXPECT_EQ(peer_.requests().at(1).resume_token(), "1");
}

StreamScript ManyMessages(int count) {
  StreamScript script;
  for (int i = 0; i < count; ++i) script.messages.push_back({MessageOf(std::to_string(i))});
  return script;
}

TEST_F(SubscriptionTest, NothingIsReadThatHasNoRoom) {
  constexpr size_t kMessages = 50;
  peer_.Expect({ManyMessages(kMessages)});
  const auto subscription = client_->Subscribe(RequestFor("c"), {.max_waiting_events = 4});
  peer_.AwaitWritten(kMessages);
  // What was written before has arrived before these answers, which take turns with it on the only
  // completion thread: all of it could have been read by now.
  for (size_t i = 0; i < kMessages; ++i) ASSERT_TRUE(client_->Get("k").ok());
  subscription->Cancel();
  for (const char* word : {"0", "1", "2", "3", "end CANCELLED"}) {
    EXPECT_EQ(Next(*subscription), word);
  }
}

TEST_F(SubscriptionTest, AReaderThatMakesRoomGetsEverything) {
  constexpr int kMessages = 1000;
  peer_.Expect({ManyMessages(kMessages)});
  const auto subscription = client_->Subscribe(RequestFor("c"), {.max_waiting_events = 3});
  for (int i = 0; i < kMessages; ++i) ASSERT_EQ(Next(*subscription), std::to_string(i));
}

TEST_F(SubscriptionTest, AStreamThatIsNotReadIsNotSilent) {
  peer_.Expect({ManyMessages(2)});
  v1::SubscribeRequest request = RequestFor("unread");
  request.set_heartbeat_ms(100);
  const auto unread = client_->Subscribe(request, {.max_waiting_events = 1});
  peer_.AwaitWritten(2);
  // Two silences of another subscription serve as the clock.
  request.set_channels(0, "silent");
  EventDiary diary;
  const auto silent = client_->Subscribe(request, diary.Callbacks());
  diary.Await(4);
  EXPECT_EQ(diary.words().at(3), "lost UNAVAILABLE");
  size_t streams = 0;
  for (const auto& seen : peer_.requests()) streams += seen.channels(0) == "unread" ? 1 : 0;
  EXPECT_EQ(streams, 1u);
  EXPECT_EQ(Next(*unread), "0");
  EXPECT_EQ(Next(*unread), "1");
}

TEST_F(SubscriptionTest, ACallbackMayCancelAndNothingComesAfterwards) {
  peer_.Expect({{.messages = {{AcknowledgementOf("0"), MessageOf("1"), MessageOf("2")}}}});
  EventDiary diary;
  SubscriptionCallbacks callbacks = diary.Callbacks();
  std::atomic<Subscription*> itself{nullptr};
  callbacks.on_event = [&, note = std::move(callbacks.on_event)](const auto& event) mutable {
    itself.wait(nullptr);
    note(event);
    if (event.has_message()) itself.load()->Cancel();
  };
  const auto subscription = client_->Subscribe(RequestFor("c"), std::move(callbacks));
  itself.store(subscription.get());
  itself.notify_one();
  diary.Await(3);
  EXPECT_THAT(diary.words(), ElementsAre("ack", "1", "end CANCELLED"));
  EXPECT_EQ(subscription->resume_token(), "1");
}

TEST_F(SubscriptionTest, EventsGoOneWayOnly) {
  EventDiary diary;
  const auto subscription = client_->Subscribe(RequestFor("c"), diary.Callbacks());
  EXPECT_TRUE(absl::IsFailedPrecondition(subscription->Next(absl::Seconds(1)).status()));
}

TEST_F(SubscriptionTest, NextInACallbackFailsInsteadOfHanging) {
  const auto pulled = client_->Subscribe(RequestFor("c"));
  std::atomic<bool> refused{false};
  const auto subscription = client_->Subscribe(
      RequestFor("c"), {.on_event = [&](const auto&) {
        refused.store(absl::IsFailedPrecondition(pulled->Next(absl::Seconds(1)).status()));
        refused.notify_one();
      }});
  refused.wait(false);
  EXPECT_TRUE(refused.load());
}

}  // namespace
}  // namespace ferrite
