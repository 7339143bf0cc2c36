// Publish and Subscribe against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "client/future.h"
#include "tests/client/client_fixture.h"
#include "tests/client/event_diary.h"
#include "tests/client/server_process.h"

namespace ferrite {
namespace {

using testing::Contains;
using testing::ElementsAre;

v1::SubscribeRequest ChannelRequest(const std::string& channel) {
  v1::SubscribeRequest request;
  request.add_channels(channel);
  return request;
}

// The next event that is not a heartbeat, as a word.
std::string Next(Subscription& subscription) {
  while (true) {
    const auto event = subscription.Next(absl::InfiniteDuration());
    if (!event.ok()) return "end " + absl::StatusCodeToString(event.status().code());
    if (!event->has_heartbeat()) return WordFor(*event);
  }
}

class SubscriptionServerTest : public testing::Test {
 protected:
  ServerProcess server_;
  std::unique_ptr<Client> client_ = ClientOf(server_.address());
};

TEST_F(SubscriptionServerTest, WhatIsPublishedArrives) {
  EXPECT_EQ(client_->Publish("news", "nobody listens")->receivers(), 0u);
  v1::SubscribeRequest request = ChannelRequest("news");
  request.add_channel_globs("sport.*");
  const auto subscription = client_->Subscribe(request);
  EXPECT_EQ(Next(*subscription), "ack");
  const auto published = client_->Publish("news", "hello");
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->receivers(), 1u);
  EXPECT_GT(published->sequence(), 0u);
  ASSERT_TRUE(client_->Publish("sport.chess", "mate").ok());
  EXPECT_EQ(Next(*subscription), "hello");
  EXPECT_EQ(Next(*subscription), "mate");
}

TEST_F(SubscriptionServerTest, PublishedTogetherTheyTravelInFramesInOrder) {
  const auto subscription = client_->Subscribe(ChannelRequest("c"));
  EXPECT_EQ(Next(*subscription), "ack");
  constexpr int kMessages = 2000;
  std::vector<Future<v1::PublishResponse>> published;
  for (int i = 0; i < kMessages; ++i) {
    v1::PublishRequest request;
    request.set_channel("c");
    request.set_payload(std::to_string(i));
    published.push_back(FutureOf<v1::PublishResponse>(
        [&](auto done) { client_->PublishAsync(request, {}, std::move(done)); }));
  }
  for (auto& one : published) EXPECT_EQ(one.get()->receivers(), 1u);
  for (int i = 0; i < kMessages; ++i) ASSERT_EQ(Next(*subscription), std::to_string(i));
  uint64_t publish_calls = 0;
  const auto stats = client_->Stats();
  ASSERT_TRUE(stats.ok()) << stats.status();
  for (const v1::MethodStats& method : stats->methods()) {
    if (method.method() == "Publish") publish_calls = method.calls_started();
  }
  EXPECT_EQ(publish_calls, 0u);
  EXPECT_EQ(ReasonOf(client_->Publish("", "x").status()), "CHANNEL_EMPTY");
}

TEST_F(SubscriptionServerTest, TellsWhatHappensToKeys) {
  v1::SubscribeRequest request;
  request.add_key_prefixes("user:");
  request.add_key_event_kinds(v1::KEY_EVENT_KIND_SET);
  request.set_with_values(true);
  const auto subscription = client_->Subscribe(request);
  EXPECT_EQ(Next(*subscription), "ack");
  ASSERT_TRUE(client_->Set("other", "x").ok());
  ASSERT_TRUE(client_->Delete("other").ok());
  const auto set = client_->Set("user:1", "Ada");
  const auto event = subscription->Next(absl::InfiniteDuration());
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->key_event().key(), "user:1");
  EXPECT_EQ(event->key_event().version(), set->version());
  EXPECT_EQ(event->key_event().value(), "Ada");
}

TEST_F(SubscriptionServerTest, AnotherClientGoesOnWithTheToken) {
  auto first = client_->Subscribe(ChannelRequest("c"));
  EXPECT_EQ(Next(*first), "ack");
  ASSERT_TRUE(client_->Publish("c", "1").ok());
  ASSERT_TRUE(client_->Publish("c", "2").ok());
  EXPECT_EQ(Next(*first), "1");
  v1::SubscribeRequest request = ChannelRequest("c");
  request.set_resume_token(first->resume_token());
  first.reset();
  ASSERT_TRUE(client_->Publish("c", "3").ok());
  const auto other_client = ClientOf(server_.address());
  const auto second = other_client->Subscribe(request);
  for (const char* word : {"resumed", "2", "3"}) EXPECT_EQ(Next(*second), word);
}

TEST_F(SubscriptionServerTest, ARequestThatIsWrongEndsWithTheReason) {
  EventDiary diary;
  const auto subscription = client_->Subscribe({}, diary.Callbacks());
  diary.Await(1);
  EXPECT_THAT(diary.words(), ElementsAre("end INVALID_ARGUMENT"));
  EXPECT_EQ(ReasonOf(diary.why()), "SUBSCRIPTION_EMPTY");
}

TEST_F(SubscriptionServerTest, AFrozenServerIsABrokenOneAndNothingIsLost) {
  v1::SubscribeRequest request = ChannelRequest("c");
  request.set_heartbeat_ms(100);
  EventDiary diary;
  SubscriptionCallbacks callbacks = diary.Callbacks();
  callbacks.on_event = [note = std::move(callbacks.on_event)](const auto& event) mutable {
    if (!event.has_heartbeat()) note(event);
  };
  const auto subscription = client_->Subscribe(request, std::move(callbacks));
  diary.Await(1);
  server_.Freeze();
  diary.Await(2);
  EXPECT_EQ(diary.words().at(1), "lost UNAVAILABLE");
  server_.Thaw();
  ASSERT_TRUE(client_->Publish("c", "m").ok());
  const auto told = [&] {
    const std::vector<std::string> words = diary.words();
    return std::count(words.begin(), words.end(), "m");
  };
  for (size_t words = 3; told() == 0; ++words) diary.Await(words);
  EXPECT_EQ(told(), 1);
  EXPECT_THAT(diary.words(), testing::Not(Contains("gap")));
}

TEST_F(SubscriptionServerTest, AReaderThatIsTooSlowIsEndedIfItAskedForThat) {
  v1::SubscribeRequest request = ChannelRequest("c");
  request.set_slow_consumer_policy(v1::SLOW_CONSUMER_POLICY_END);
  request.set_max_queue_events(1);
  const auto subscription = client_->Subscribe(request, {.max_waiting_events = 1});
  EXPECT_EQ(Next(*subscription), "ack");
  // The sockets and gRPC buffer some, and the server is patient for a while: a faster machine needs
  // more.
  const std::string large(1 << 20, 'x');
  absl::Status end;
  for (int messages = 100; end.ok(); messages *= 2) {
    for (int i = 0; i < messages; ++i) ASSERT_TRUE(client_->Publish("c", large).ok());
    while (end.ok()) end = subscription->Next(absl::Seconds(1)).status();
    if (absl::IsDeadlineExceeded(end)) end = absl::OkStatus();
  }
  EXPECT_TRUE(absl::IsResourceExhausted(end)) << end;
  EXPECT_EQ(ReasonOf(end), "SUBSCRIBER_TOO_SLOW");

  request.set_resume_token(subscription->resume_token());
  const auto rest = client_->Subscribe(request);
  EXPECT_THAT(Next(*rest), testing::AnyOf("resumed", "ack"));
}

TEST(SubscriptionRestartTest, ANewServerIsFoundAndTheGapAnnounced) {
  auto server = std::make_unique<ServerProcess>();
  const std::string address = server->address();
  const auto client =
      ClientOf(address, {.retry = {.max_attempts = 1, .max_backoff = absl::Milliseconds(20)}});
  EventDiary diary;
  const auto subscription = client->Subscribe(ChannelRequest("c"), diary.Callbacks());
  diary.Await(1);
  server->Kill();
  diary.Await(2);
  EXPECT_EQ(diary.words().at(1), "lost UNAVAILABLE");
  server = std::make_unique<ServerProcess>(address);
  size_t words = 2;
  while (!std::ranges::count(diary.words(), "gap")) diary.Await(++words);
  const std::vector<std::string> seen = diary.words();
  EXPECT_EQ(seen.at(seen.size() - 2), "ack");
  ASSERT_TRUE(client->Publish("c", "m").ok());
  diary.Await(seen.size() + 1);
  EXPECT_EQ(diary.words().back(), "m");
}

}  // namespace
}  // namespace ferrite
