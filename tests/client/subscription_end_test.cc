// The end of subscriptions in any state: on_end comes once, and nothing after it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/client/client_fixture.h"
#include "tests/client/event_diary.h"
#include "tests/client/event_peer.h"
#include "tests/client/silent_port.h"

namespace ferrite {
namespace {

using testing::ElementsAre;

v1::SubscribeRequest AnyRequest() {
  v1::SubscribeRequest request;
  request.add_channels("c");
  return request;
}

TEST(SubscriptionEndTest, ItsDestructorReturnsAfterTheLastCallback) {
  EventPeer peer;
  const auto client = ClientOf(peer.address());
  EventDiary diary;
  auto subscription = client->Subscribe(AnyRequest(), diary.Callbacks());
  diary.Await(1);
  subscription.reset();
  EXPECT_THAT(diary.words(), ElementsAre("ack", "end CANCELLED"));
}

TEST(SubscriptionEndTest, TheClientEndsIt) {
  EventPeer peer;
  auto client = ClientOf(peer.address(), {.completion_threads = 2});
  EventDiary diary;
  const auto called_back = client->Subscribe(AnyRequest(), diary.Callbacks());
  const auto fetched = client->Subscribe(AnyRequest());
  diary.Await(1);
  EXPECT_TRUE(fetched->Next(absl::InfiniteDuration()).ok());
  client.reset();
  EXPECT_THAT(diary.words(), ElementsAre("ack", "end CANCELLED"));
  EXPECT_TRUE(absl::IsCancelled(fetched->Next(absl::InfiniteDuration()).status()));
  called_back->Cancel();  // harmless
}

TEST(SubscriptionEndTest, OneThatStartsWhileTheClientEndsIsOverAtOnce) {
  EventPeer peer;
  auto client = ClientOf(peer.address());
  Client* const same = client.get();
  EventDiary first, second;
  std::unique_ptr<Subscription> late;
  SubscriptionCallbacks callbacks = first.Callbacks();
  callbacks.on_end = [&](const absl::Status&) {
    late = same->Subscribe(AnyRequest(), second.Callbacks());
  };
  const auto subscription = client->Subscribe(AnyRequest(), std::move(callbacks));
  first.Await(1);
  client.reset();
  EXPECT_THAT(second.words(), ElementsAre("end CANCELLED"));
}

TEST(SubscriptionEndTest, CancelWakesWhoeverWaits) {
  EventPeer peer;
  const auto client = ClientOf(peer.address());
  const auto subscription = client->Subscribe(AnyRequest());
  ASSERT_TRUE(subscription->Next(absl::InfiniteDuration()).ok());
  std::thread canceller([&] { subscription->Cancel(); });
  EXPECT_TRUE(absl::IsCancelled(subscription->Next(absl::InfiniteDuration()).status()));
  canceller.join();
}

TEST(SubscriptionEndTest, InThePauseBeforeTheNextTry) {
  EventPeer peer;
  peer.Expect({{.end = kNotNow, .pushback = "50000000"}});
  const auto client = ClientOf(peer.address());
  EventDiary diary;
  auto subscription = client->Subscribe(AnyRequest(), diary.Callbacks());
  diary.Await(1);
  subscription.reset();
  EXPECT_THAT(diary.words(), ElementsAre("lost UNAVAILABLE", "end CANCELLED"));
}

TEST(SubscriptionEndTest, WhileItConnects) {
  const SilentPort port;
  const auto client = ClientOf(port.address());
  client->Subscribe(AnyRequest()).reset();
}

TEST(SubscriptionEndTest, WhileItsReaderHasNoRoom) {
  EventPeer peer;
  std::vector<std::vector<v1::SubscriptionEvent>> messages(100, {MessageOf("m")});
  peer.Expect({{.messages = messages}, {.messages = messages}});
  auto client = ClientOf(peer.address());
  client->Subscribe(AnyRequest(), {.max_waiting_events = 1}).reset();
  const auto subscription = client->Subscribe(AnyRequest(), {.max_waiting_events = 1});
  EXPECT_TRUE(subscription->Next(absl::InfiniteDuration()).ok());
  client.reset();
  absl::Status last;
  while (last.ok()) last = subscription->Next(absl::InfiniteDuration()).status();
  EXPECT_TRUE(absl::IsCancelled(last)) << last;
}

// Streams that break all the time, both kinds of readers, and an end at any moment.
TEST(SubscriptionEndTest, CanComeAtAnyMoment) {
  EventPeer peer;
  for (int round = 0; round < 60; ++round) {
    const StreamScript breaks = {
        .messages = {{AcknowledgementOf("0")}, {MessageOf("1"), MessageOf("2")}},
        .end = kNotNow,
        .pushback = "0"};
    peer.Expect(std::vector<StreamScript>(round % 7, breaks));
    auto client = ClientOf(peer.address(), {.completion_threads = 2});
    std::vector<EventDiary> diaries(3);
    std::vector<std::unique_ptr<Subscription>> subscriptions;
    subscriptions.reserve(diaries.size());
    for (EventDiary& diary : diaries) {
      subscriptions.push_back(client->Subscribe(AnyRequest(), diary.Callbacks()));
    }
    auto fetched = client->Subscribe(AnyRequest(), {.max_waiting_events = 1});
    std::thread reader([&] {
      absl::Status last;
      while (last.ok()) last = fetched->Next(absl::InfiniteDuration()).status();
      EXPECT_TRUE(absl::IsCancelled(last)) << last;
    });
    std::thread canceller([&] {
      subscriptions[0]->Cancel();
      fetched->Cancel();
    });
    diaries[1].Await(round % 2);
    subscriptions[1].reset();
    if (round % 2 == 0) client.reset();
    canceller.join();
    reader.join();
    subscriptions.clear();
    for (EventDiary& diary : diaries) {
      const std::vector<std::string> words = diary.words();
      EXPECT_EQ(words.back(), "end CANCELLED");
      EXPECT_EQ(std::count(words.begin(), words.end(), "end CANCELLED"), 1);
    }
  }
}

}  // namespace
}  // namespace ferrite
