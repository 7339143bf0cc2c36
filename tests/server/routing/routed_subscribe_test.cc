// Subscriptions through any node of a cluster.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

class RoutedSubscribeTest : public NodesTest {
 protected:
  struct Subscription {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader;
    v1::SubscribeResponse response;
    int next = 0;

    // The next event that is no heartbeat; empty at the end.
    v1::SubscriptionEvent Next() {
      while (true) {
        while (next < response.events_size()) {
          const v1::SubscriptionEvent& event = response.events(next++);
          if (!event.has_heartbeat()) return event;
        }
        next = 0;
        if (!reader->Read(&response)) return {};
      }
    }
    grpc::Status End() {
      context.TryCancel();
      return reader->Finish();
    }
  };

  std::unique_ptr<Subscription> SubscribeAt(size_t node, v1::SubscribeRequest request,
                                            bool direct = false) {
    request.set_heartbeat_ms(100);
    auto subscription = std::make_unique<Subscription>();
    if (direct) subscription->context.AddMetadata("ferrite-route", "direct");
    subscription->reader = members_[node].stub->Subscribe(&subscription->context, request);
    return subscription;
  }
  void PublishAt(size_t node, const std::string& channel, const std::string& payload) {
    v1::PublishRequest request;
    request.set_channel(channel);
    request.set_payload(payload);
    v1::PublishResponse response;
    EXPECT_TRUE(CallAt(node, &Stub::Publish, request, &response).ok());
  }
};

TEST_F(RoutedSubscribeTest, WhatOneNodeOwnsIsFollowedThroughAny) {
  for (size_t through = 0; through < 3; ++through) {
    v1::SubscribeRequest request;
    request.add_channels(KeyOf(1));
    request.add_channels(KeyOf(1, 1));
    request.add_keys(KeyOf(1, 2));
    const auto subscription = SubscribeAt(through, request);
    EXPECT_TRUE(subscription->Next().has_acknowledgement());
    PublishAt(0, KeyOf(1), "a");
    PublishAt(2, KeyOf(1, 1), "b");
    ASSERT_TRUE(SetAt(0, KeyOf(1, 2), "v").ok());
    EXPECT_EQ(subscription->Next().message().payload(), "a");
    const v1::SubscriptionEvent last = subscription->Next();
    EXPECT_EQ(last.message().payload(), "b");
    EXPECT_EQ(subscription->Next().key_event().key(), KeyOf(1, 2));
    EXPECT_EQ(subscription->End().error_code(), grpc::StatusCode::CANCELLED);
    // It goes on through another node.
    PublishAt(0, KeyOf(1), "c");
    request.set_resume_token(last.resume_token());
    const auto resumed = SubscribeAt((through + 1) % 3, request);
    EXPECT_TRUE(resumed->Next().acknowledgement().resumed());
    EXPECT_EQ(resumed->Next().key_event().key(), KeyOf(1, 2));
    EXPECT_EQ(resumed->Next().message().payload(), "c");
    resumed->End();
  }
}

TEST_F(RoutedSubscribeTest, WhatSeveralNodesOwnIsRefusedAndNotFollowedInPart) {
  v1::SubscribeRequest both;
  both.add_channels(KeyOf(0));
  both.add_channels(KeyOf(1));
  v1::SubscribeRequest glob;
  glob.add_channel_globs("*");
  v1::SubscribeRequest prefix;
  prefix.add_key_prefixes("");
  for (const v1::SubscribeRequest& request : {both, glob, prefix}) {
    const auto subscription = SubscribeAt(0, request);
    EXPECT_EQ(subscription->Next().event_case(), v1::SubscriptionEvent::EVENT_NOT_SET);
    const grpc::Status status = subscription->reader->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(InfoOf(status).reason(), "SUBSCRIPTION_SPANS_NODES");
  }
  // At each node, it can be followed.
  const auto direct = SubscribeAt(0, glob, /*direct=*/true);
  EXPECT_TRUE(direct->Next().has_acknowledgement());
  PublishAt(1, KeyOf(0), "a");
  EXPECT_EQ(direct->Next().message().payload(), "a");
  direct->End();
  const auto moved = SubscribeAt(0, both, /*direct=*/true);
  EXPECT_EQ(moved->Next().event_case(), v1::SubscriptionEvent::EVENT_NOT_SET);
  EXPECT_EQ(InfoOf(moved->reader->Finish()).reason(), "SLOT_MOVED");
}

// As long as one node has all slots it may follow what any node could own; not when others join it.
TEST_F(RoutedSubscribeTest, AStreamOfAGlobEndsWhenItWouldBecomeIncomplete) {
  const auto whole = ViewOf(0);
  whole->Assign(0, kSlotCount - 1, {Place::kHere, 0});
  members_[0].view.Publish(whole);
  v1::SubscribeRequest request;
  request.add_channel_globs("*");
  const auto subscription = SubscribeAt(0, request);
  EXPECT_TRUE(subscription->Next().has_acknowledgement());
  members_[0].view.Publish(ViewOf(0));
  EXPECT_EQ(subscription->Next().event_case(), v1::SubscriptionEvent::EVENT_NOT_SET);
  EXPECT_EQ(InfoOf(subscription->reader->Finish()).reason(), "SUBSCRIPTION_SPANS_NODES");
}

TEST_F(RoutedSubscribeTest, AStreamEndsWhenItsSlotIsAnothers) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  const uint32_t slot = SlotOf(KeyOf(1));
  for (size_t through : {0, 1}) {
    const auto subscription = SubscribeAt(through, request);
    EXPECT_TRUE(subscription->Next().has_acknowledgement());
    for (size_t i = 0; i < 3; ++i) {
      const auto view = ViewOf(i);
      view->Assign(slot, slot, {i == 2 ? Place::kHere : Place::kElsewhere, 2});
      members_[i].view.Publish(view);
    }
    EXPECT_EQ(subscription->Next().event_case(), v1::SubscriptionEvent::EVENT_NOT_SET);
    const grpc::Status status = subscription->reader->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_TRUE(InfoOf(status).reason() == "SLOT_IN_TRANSITION" ||
                InfoOf(status).reason() == "SLOT_MOVED")
        << status.error_message();
    PublishThirds();
  }
}

TEST_F(RoutedSubscribeTest, AStreamEndsWithItsNodeOrItsRight) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  const auto own = SubscribeAt(1, request);
  EXPECT_TRUE(own->Next().has_acknowledgement());
  members_[1].right.Set(0);
  EXPECT_EQ(own->Next().event_case(), v1::SubscriptionEvent::EVENT_NOT_SET);
  EXPECT_EQ(InfoOf(own->reader->Finish()).reason(), "LEASE_LOST");
  members_[1].right.Set(std::numeric_limits<int64_t>::max());

  const auto passed_on = SubscribeAt(0, request);
  EXPECT_TRUE(passed_on->Next().has_acknowledgement());
  Stop(1);
  EXPECT_EQ(passed_on->Next().event_case(), v1::SubscriptionEvent::EVENT_NOT_SET);
  EXPECT_EQ(passed_on->reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace ferrite
