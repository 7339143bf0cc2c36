// Subscriptions through any node of a cluster: what several nodes tell, in one stream.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/events/resume_token.h"
#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

class RoutedSubscribeTest : public NodesTest {
 protected:
  explicit RoutedSubscribeTest(Settings settings = TestSettings())
      : NodesTest(3, 2, std::move(settings)) {}

  struct Subscription {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::SubscribeResponse>> reader;
    v1::SubscribeResponse response;
    int next = 0;
    uint64_t sequence = 0;
    std::string token;  // of the last event

    // The next event that is no heartbeat; empty at the end.
    v1::SubscriptionEvent Next() {
      while (true) {
        while (next < response.events_size()) {
          const v1::SubscriptionEvent& event = response.events(next++);
          EXPECT_FALSE(event.resume_token().empty());
          const bool recorded = event.has_message() || event.has_key_event();
          EXPECT_GE(event.sequence(), sequence + recorded) << event.ShortDebugString();
          sequence = event.sequence();
          token = event.resume_token();
          if (!event.has_heartbeat()) return event;
        }
        next = 0;
        if (!reader->Read(&response)) return {};
      }
    }
    std::string NextPayload() {
      const v1::SubscriptionEvent event = Next();
      return event.has_message() ? event.message().payload() : event.ShortDebugString();
    }
    v1::DiscontinuityReason NextGap() {
      const v1::SubscriptionEvent event = Next();
      EXPECT_TRUE(event.has_discontinuity()) << event.ShortDebugString();
      return event.discontinuity().reason();
    }
    grpc::Status End() {
      context.TryCancel();
      return reader->Finish();
    }
    // Of a stream that has ended by itself.
    grpc::Status Ended() {
      const v1::SubscriptionEvent event = Next();
      EXPECT_EQ(event.event_case(), v1::SubscriptionEvent::EVENT_NOT_SET)
          << event.ShortDebugString();
      if (event.event_case() != v1::SubscriptionEvent::EVENT_NOT_SET) context.TryCancel();
      return reader->Finish();
    }
  };

  std::unique_ptr<Subscription> SubscribeAt(size_t node, v1::SubscribeRequest request,
                                            bool direct = false) {
    if (!request.has_heartbeat_ms()) request.set_heartbeat_ms(100);
    auto subscription = std::make_unique<Subscription>();
    if (direct) subscription->context.AddMetadata("ferrite-route", "direct");
    subscription->reader = members_[node].stub->Subscribe(&subscription->context, request);
    return subscription;
  }
  // One that is acknowledged, and continues if it has a token.
  std::unique_ptr<Subscription> FollowAt(size_t node, const v1::SubscribeRequest& request) {
    auto subscription = SubscribeAt(node, request);
    const v1::SubscriptionEvent first = subscription->Next();
    EXPECT_TRUE(first.has_acknowledgement()) << first.ShortDebugString();
    EXPECT_EQ(first.acknowledgement().resumed(), !request.resume_token().empty());
    return subscription;
  }
  void PublishAt(size_t node, const std::string& channel, const std::string& payload) {
    v1::PublishRequest request;
    request.set_channel(channel);
    request.set_payload(payload);
    v1::PublishResponse response;
    const grpc::Status status = CallAt(node, &Stub::Publish, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  void PublishViews(uint64_t generation, const std::optional<Moved>& moved) {
    for (size_t i = 0; i < members_.size(); ++i) {
      members_[i].view.Publish(ViewWith(i, generation, moved));
    }
  }
  v1::SubscribeRequest ChannelsOfAll() const {
    v1::SubscribeRequest request;
    for (size_t node = 0; node < 3; ++node) request.add_channels(KeyOf(node));
    return request;
  }
  static v1::SubscribeRequest AllChannels() {
    v1::SubscribeRequest request;
    request.add_channel_globs("*");
    return request;
  }
};

TEST_F(RoutedSubscribeTest, WhatOneNodeOwnsIsFollowedThroughAny) {
  for (size_t through = 0; through < 3; ++through) {
    v1::SubscribeRequest request;
    request.add_channels(KeyOf(1));
    request.add_channels(KeyOf(1, 1));
    request.add_keys(KeyOf(1, 2));
    const auto subscription = FollowAt(through, request);
    PublishAt(0, KeyOf(1), "a");
    PublishAt(2, KeyOf(1, 1), "b");
    ASSERT_TRUE(SetAt(0, KeyOf(1, 2), "v").ok());
    EXPECT_EQ(subscription->NextPayload(), "a");
    EXPECT_EQ(subscription->NextPayload(), "b");
    request.set_resume_token(subscription->token);
    EXPECT_EQ(subscription->Next().key_event().key(), KeyOf(1, 2));
    EXPECT_EQ(subscription->End().error_code(), grpc::StatusCode::CANCELLED);
    // It goes on through another node.
    PublishAt(0, KeyOf(1), "c");
    const auto resumed = FollowAt((through + 1) % 3, request);
    EXPECT_EQ(resumed->Next().key_event().key(), KeyOf(1, 2));
    EXPECT_EQ(resumed->NextPayload(), "c");
    resumed->End();
  }
}

// Through each node, each channel and each key in its order.
TEST_F(RoutedSubscribeTest, WhatAllNodesOwnComesInOneStream) {
  constexpr int kRounds = 100;
  v1::SubscribeRequest named = ChannelsOfAll();
  for (size_t node = 0; node < 3; ++node) named.add_keys(KeyOf(node, 1));
  v1::SubscribeRequest all = AllChannels();
  all.add_key_prefixes("k");
  for (const v1::SubscribeRequest& request : {named, all}) {
    for (size_t through = 0; through < 3; ++through) {
      const auto subscription = FollowAt(through, request);
      std::map<std::string, std::vector<int>> published;
      for (int i = 0; i < kRounds; ++i) {
        for (size_t owner = 0; owner < 3; ++owner) {
          PublishAt((through + 1) % 3, KeyOf(owner), std::to_string(i));
          ASSERT_TRUE(SetAt((through + 2) % 3, KeyOf(owner, 1), "v").ok());
        }
      }
      std::map<std::string, uint64_t> newest;
      std::map<std::string, int> count;
      for (int left = kRounds * 6; left > 0; --left) {
        const v1::SubscriptionEvent event = subscription->Next();
        if (event.has_message()) {
          const std::string& channel = event.message().channel();
          ASSERT_EQ(event.message().payload(), std::to_string(count[channel]++));
        } else {
          const std::string& key = event.key_event().key();
          ASSERT_TRUE(event.has_key_event()) << event.ShortDebugString();
          ASSERT_GT(event.key_event().version(), newest[key]);
          newest[key] = event.key_event().version();
          ++count[key];
        }
      }
      EXPECT_EQ(count.size(), 6u);
      for (const auto& [name, times] : count) EXPECT_EQ(times, kRounds) << name;
      subscription->End();
    }
  }
}

TEST_F(RoutedSubscribeTest, WhoKnowsTheNodesFollowsEachAlone) {
  const auto direct = SubscribeAt(0, AllChannels(), /*direct=*/true);
  EXPECT_TRUE(direct->Next().has_acknowledgement());
  PublishAt(1, KeyOf(1), "elsewhere");
  PublishAt(1, KeyOf(0), "a");
  EXPECT_EQ(direct->NextPayload(), "a");
  direct->End();
  const auto moved = SubscribeAt(0, ChannelsOfAll(), /*direct=*/true);
  EXPECT_EQ(InfoOf(moved->Ended()).reason(), "SLOT_MOVED");
}

TEST_F(RoutedSubscribeTest, GoesOnAtAnotherNodeWhenItsOwnEnds) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  request.add_channels(KeyOf(2));
  const auto subscription = FollowAt(0, request);
  PublishAt(1, KeyOf(1), "a");
  EXPECT_EQ(subscription->NextPayload(), "a");
  Stop(0);
  EXPECT_EQ(InfoOf(subscription->Ended()).reason(), "SHUTTING_DOWN");
  PublishAt(1, KeyOf(1), "b");
  PublishAt(1, KeyOf(2), "c");
  request.set_resume_token(subscription->token);
  const auto resumed = FollowAt(2, request);
  std::set<std::string> rest = {resumed->NextPayload(), resumed->NextPayload()};
  EXPECT_EQ(rest, (std::set<std::string>{"b", "c"}));
  EXPECT_GT(resumed->sequence, subscription->sequence);
  resumed->End();
}

// What others tell goes on exactly while nobody tells what the dead node owned.
TEST_F(RoutedSubscribeTest, BeginsWithoutANodeThatIsDeadAndSaysSo) {
  v1::SubscribeRequest request = AllChannels();
  const auto subscription = FollowAt(0, request);
  PublishAt(1, KeyOf(1), "a");
  EXPECT_EQ(subscription->NextPayload(), "a");
  Stop(0);
  PublishAt(1, KeyOf(1), "b");
  request.set_resume_token(subscription->token);
  const auto resumed = SubscribeAt(1, request);
  EXPECT_FALSE(resumed->Next().acknowledgement().resumed());
  EXPECT_EQ(resumed->NextGap(), v1::DISCONTINUITY_REASON_NODE_LOST);
  EXPECT_EQ(resumed->NextPayload(), "b");
  resumed->End();
}

// Nothing of the new owner comes before the gap has been told, also if this node is the last one to
// hear of it.
TEST_F(RoutedSubscribeTest, ANewOwnerIsFollowedAfterADiscontinuity) {
  const std::string channel = KeyOf(1);
  const Moved moved = {.slot = SlotOf(channel), .owner = 2, .generation = 2};
  v1::SubscribeRequest one;
  one.add_channels(channel);
  for (const v1::SubscribeRequest& request : {one, ChannelsOfAll(), AllChannels()}) {
    PublishViews(1, std::nullopt);
    const auto subscription = FollowAt(0, request);
    PublishAt(1, channel, "before");
    EXPECT_EQ(subscription->NextPayload(), "before");
    v1::SubscribeRequest again = request;
    again.set_resume_token(subscription->token);
    members_[2].view.Publish(ViewWith(2, 2, moved));
    members_[1].view.Publish(ViewWith(1, 2, moved));
    PublishAt(2, channel, "too early");
    if (request.channels_size() != 1) {  // what others tell goes on
      PublishAt(0, KeyOf(0), "others");
      EXPECT_EQ(subscription->NextPayload(), "others");
    }
    members_[0].view.Publish(ViewWith(0, 2, moved));
    EXPECT_EQ(subscription->NextGap(), v1::DISCONTINUITY_REASON_OWNER_CHANGED);
    PublishAt(2, channel, "after");
    // A node that was followed anyway may have recorded what came before it was to be told.
    std::string payload = subscription->NextPayload();
    if (payload == "too early") payload = subscription->NextPayload();
    EXPECT_EQ(payload, "after");
    // From before the change it cannot be resumed without a gap; from after it can, once all nodes
    // are followed again.
    const auto earlier = SubscribeAt(1, again);
    EXPECT_FALSE(earlier->Next().acknowledgement().resumed());
    earlier->NextGap();
    earlier->End();
    bool resumed = false;
    for (int tries = 0; tries < 100 && !resumed; ++tries) {
      PublishAt(2, channel, "later");
      EXPECT_EQ(subscription->NextPayload(), "later");
      again.set_resume_token(subscription->token);
      const auto later = SubscribeAt(1, again);
      resumed = later->Next().acknowledgement().resumed();
      later->End();
    }
    EXPECT_TRUE(resumed);
    subscription->End();
  }
}

// A slot that went and came back may have been written meanwhile.
TEST_F(RoutedSubscribeTest, ASlotThatCameBackHasAGap) {
  const std::string channel = KeyOf(1);
  v1::SubscribeRequest request;
  request.add_channels(channel);
  const auto subscription = FollowAt(1, request);
  request.set_resume_token(subscription->token);
  const Moved back = {.slot = SlotOf(channel), .owner = 1, .generation = 3};
  PublishViews(3, back);
  EXPECT_EQ(subscription->NextGap(), v1::DISCONTINUITY_REASON_OWNER_CHANGED);
  subscription->End();
  const auto resumed = SubscribeAt(1, request);
  EXPECT_FALSE(resumed->Next().acknowledgement().resumed());
  EXPECT_EQ(resumed->NextGap(), v1::DISCONTINUITY_REASON_OWNER_CHANGED);
  resumed->End();
}

// Changes elsewhere are no gap.
TEST_F(RoutedSubscribeTest, OtherSlotsMayMove) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  request.add_channels(KeyOf(2));
  const auto subscription = FollowAt(0, request);
  PublishViews(2, Moved{.slot = SlotOf(KeyOf(0)), .owner = 1, .generation = 2});
  PublishAt(0, KeyOf(1), "a");
  EXPECT_EQ(subscription->NextPayload(), "a");
  subscription->End();
}

TEST_F(RoutedSubscribeTest, ANodeThatDiesIsToldOnceAndItsHeirAfterAGap) {
  const auto subscription = FollowAt(0, ChannelsOfAll());
  Stop(1);
  EXPECT_EQ(subscription->NextGap(), v1::DISCONTINUITY_REASON_NODE_LOST);
  PublishAt(0, KeyOf(2), "others go on");
  EXPECT_EQ(subscription->NextPayload(), "others go on");
  const Moved moved = {.slot = SlotOf(KeyOf(1)), .owner = 2, .generation = 2};
  members_[2].view.Publish(ViewWith(2, 2, moved));
  members_[0].view.Publish(ViewWith(0, 2, moved));
  EXPECT_EQ(subscription->NextGap(), v1::DISCONTINUITY_REASON_OWNER_CHANGED);
  PublishAt(0, KeyOf(1), "heir");
  EXPECT_EQ(subscription->NextPayload(), "heir");
  subscription->End();
}

// A node without the right to serve is not followed, and goes on where it was if nobody else has
// served meanwhile.
TEST_F(RoutedSubscribeTest, ANodeThatLostItsRightIsTold) {
  const auto subscription = FollowAt(0, ChannelsOfAll());
  members_[1].right.Set(0);
  EXPECT_EQ(subscription->NextGap(), v1::DISCONTINUITY_REASON_NODE_LOST);
  members_[1].right.Set(std::numeric_limits<int64_t>::max());
  PublishAt(1, KeyOf(1), "a");
  EXPECT_EQ(subscription->NextPayload(), "a");
  subscription->End();
}

TEST_F(RoutedSubscribeTest, AStreamEndsWithTheRightOfItsNode) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  for (const size_t through : {0, 1}) {
    const auto subscription = FollowAt(through, request);
    members_[through].right.Set(0);
    EXPECT_EQ(InfoOf(subscription->Ended()).reason(), "LEASE_LOST");
    const auto refused = SubscribeAt(through, request);
    EXPECT_EQ(InfoOf(refused->Ended()).reason(), "LEASE_LOST");
    members_[through].right.Set(std::numeric_limits<int64_t>::max());
  }
  const auto direct = SubscribeAt(1, request, /*direct=*/true);
  EXPECT_TRUE(direct->Next().has_acknowledgement());
  members_[1].right.Set(0);
  EXPECT_EQ(InfoOf(direct->Ended()).reason(), "LEASE_LOST");
}

// With no node to follow at all there is nothing to acknowledge.
TEST_F(RoutedSubscribeTest, IsRefusedWhereNobodyTells) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  Stop(1);
  EXPECT_EQ(InfoOf(SubscribeAt(0, request)->Ended()).reason(), "PEER_UNREACHABLE");
  const auto view = ViewOf(0);
  view->Assign(SlotOf(KeyOf(1)), SlotOf(KeyOf(1)), {Place::kReleasing, 1});
  members_[0].view.Publish(view);
  EXPECT_EQ(InfoOf(SubscribeAt(0, request)->Ended()).reason(), "SLOT_IN_TRANSITION");
}

TEST_F(RoutedSubscribeTest, TokensOfOtherStreamsAreUnderstoodAndGarbageIsNot) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  for (const std::string& garbage :
       {std::string("x"), std::string(33, 'x'), std::string(9000, 'x')}) {
    request.set_resume_token(garbage);
    const grpc::Status status = SubscribeAt(0, request)->Ended();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(InfoOf(status).reason(), "RESUME_TOKEN_INVALID");
  }
  // Of one node: what it has is told; whether it is all that there was, nobody knows.
  request.clear_resume_token();
  const auto direct = SubscribeAt(1, request, /*direct=*/true);
  EXPECT_TRUE(direct->Next().has_acknowledgement());
  EXPECT_EQ(direct->token.size(), ResumeToken::kBytes);
  PublishAt(1, KeyOf(1), "a");
  request.set_resume_token(direct->token);
  direct->End();
  const auto composed = SubscribeAt(0, request);
  EXPECT_FALSE(composed->Next().acknowledgement().resumed());
  composed->NextGap();
  EXPECT_EQ(composed->NextPayload(), "a");
  // And the other way round.
  PublishAt(1, KeyOf(1), "b");
  request.set_resume_token(composed->token);
  composed->End();
  const auto single = SubscribeAt(1, request, /*direct=*/true);
  EXPECT_TRUE(single->Next().acknowledgement().resumed());
  EXPECT_EQ(single->NextPayload(), "b");
  single->End();
}

// A probe vouches for all nodes: whatever was written before it has come before it.
TEST_F(RoutedSubscribeTest, AProbeComesAfterWhatHappenedBefore) {
  for (size_t owner = 0; owner < 3; ++owner) {
    v1::SubscribeRequest request;
    const std::string probes = KeyOf(owner);
    request.add_channels(probes);
    request.add_key_prefixes("");
    request.set_probe_channel(probes);
    const auto subscription = FollowAt(0, request);
    for (int i = 0; i < 100; ++i) {
      for (size_t node = 0; node < 3; ++node) {
        ASSERT_TRUE(SetAt(node, KeyOf(node, i), "v", /*direct=*/true).ok());
      }
      PublishAt(owner, probes, std::to_string(i));
      std::set<std::string> seen;
      v1::SubscriptionEvent event = subscription->Next();
      for (; event.has_key_event(); event = subscription->Next()) {
        seen.insert(event.key_event().key());
      }
      ASSERT_EQ(event.message().payload(), std::to_string(i));
      ASSERT_EQ(seen.size(), 3u);
    }
    subscription->End();
  }
}

TEST_F(RoutedSubscribeTest, AProbeDoesNotComeWhileANodeIsNotFollowed) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  request.add_key_prefixes("");
  request.set_probe_channel(KeyOf(1));
  const auto subscription = FollowAt(0, request);
  // Node 2 is silent, and nobody knows it yet.
  members_[2].right.Set(0);
  PublishAt(1, KeyOf(1), "probe");
  EXPECT_EQ(subscription->NextGap(), v1::DISCONTINUITY_REASON_NODE_LOST);
  members_[2].right.Set(std::numeric_limits<int64_t>::max());
  EXPECT_EQ(subscription->NextPayload(), "probe");
  subscription->End();
}

TEST_F(RoutedSubscribeTest, WhatProgramsUseAmongThemselvesMatchesNoGlob) {
  const auto subscription = FollowAt(0, AllChannels());
  PublishAt(0, std::string(1, '\0') + "hidden", "hidden");
  const std::string shown = std::string(1, '\1') + "shown";
  PublishAt(0, shown, "shown");
  EXPECT_EQ(subscription->NextPayload(), "shown");
  subscription->End();
}

// The queue is at the node that tells. What did not fit there is resumed without a gap.
TEST_F(RoutedSubscribeTest, WhoDoesNotReadIsEndedIfItAskedForThatAndCanResume) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  request.add_channels(KeyOf(2));
  request.set_slow_consumer_policy(v1::SLOW_CONSUMER_POLICY_END);
  request.set_max_queue_events(2);
  const auto reader = FollowAt(0, ChannelsOfAll());
  // With little room on the way.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  members_[0].stub = v1::CacheService::NewStub(grpc::CreateCustomChannel(
      members_[0].address, grpc::InsecureChannelCredentials(), arguments));
  auto subscription = FollowAt(0, request);
  std::map<std::string, int> next;
  int published = 0;  // to each channel
  const auto take = [&](Subscription* from) {
    while (true) {
      const v1::SubscriptionEvent event = from->Next();
      if (!event.has_message()) return;
      const std::string payload = event.message().payload();
      ASSERT_EQ(payload.substr(0, payload.find(' ')),
                std::to_string(next[event.message().channel()]++));
      if (next[KeyOf(1)] == published && next[KeyOf(2)] == published) return;
    }
  };
  const auto publish = [&](size_t bytes) {
    for (const size_t node : {1, 2}) {
      PublishAt(node, KeyOf(node), std::to_string(published) + " " + std::string(bytes, 'p'));
    }
    ++published;
  };
  // As much as has no room, and then for as long as a client may not read.
  while (published < 100) publish(60'000);
  const auto stalled = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  while (std::chrono::steady_clock::now() < stalled) publish(1);
  publish(1);
  // It holds up nobody else.
  for (int i = 0; i < 2 * published; ++i) ASSERT_TRUE(reader->Next().has_message()) << i;
  reader->End();
  take(subscription.get());
  int ends = 0;
  for (; next[KeyOf(1)] < published || next[KeyOf(2)] < published; ++ends) {
    const grpc::Status status = subscription->reader->Finish();
    ASSERT_EQ(InfoOf(status).reason(), "SUBSCRIBER_TOO_SLOW") << status.error_message();
    const auto& trailers = subscription->context.GetServerTrailingMetadata();
    const auto token = trailers.find("ferrite-resume-token-bin");
    ASSERT_NE(token, trailers.end());
    EXPECT_EQ(std::string(token->second.data(), token->second.size()), subscription->token);
    request.set_resume_token(subscription->token);
    subscription = FollowAt(0, request);
    take(subscription.get());
  }
  EXPECT_GT(ends, 0);
  subscription->End();
}

// Each event has a token, and each node a stream: so there is a limit.
TEST_F(RoutedSubscribeTest, MoreNodesThanOneStreamFollowsAreRefused) {
  constexpr uint16_t kNodes = 300;
  cluster::ClusterView::Nodes nodes;
  for (int i = 0; i < kNodes; ++i) {
    auto node = std::make_shared<cluster::ViewNode>();
    node->id = NameOfNode(static_cast<size_t>(i));
    node->address = node->internal_address = "127.0.0.1:1";
    nodes.push_back(std::move(node));
  }
  auto view = std::make_shared<cluster::ClusterView>(
      cluster::ClusterView::Version{.epoch = 9, .generation = 1, .cluster_uid = 1},
      std::move(nodes));
  view->Assign(0, kSlotCount - 1, {Place::kHere, 0});
  for (uint16_t i = 1; i < kNodes; ++i) view->Assign(i, i, {Place::kElsewhere, i});
  members_[0].view.Publish(std::move(view));
  const grpc::Status status = SubscribeAt(0, AllChannels())->Ended();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(InfoOf(status).reason(), "SUBSCRIPTION_SPANS_NODES");
  EXPECT_EQ(InfoOf(status).metadata().at("limit"), "256");
}

TEST_F(RoutedSubscribeTest, TheNodeBetweenHasLimitedRoomForWhatIsFollowedElsewhere) {
  settings_.events.subscriber_bytes = 2 << 20;  // of which topics get half
  settings_.events.connection_percent = 100;
  Start();  // a fourth node, with that limit
  PublishThirds();
  v1::SubscribeRequest request;
  for (int i = 0; i < 72; ++i) {
    request.add_keys("{" + KeyOf(1) + "}" + std::to_string(i) + std::string(4000, 'k'));
  }
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (int i = 0; i < 3; ++i) subscriptions.push_back(FollowAt(3, request));
  const grpc::Status status = SubscribeAt(3, request)->Ended();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(InfoOf(status).metadata().at("limit"), std::to_string(1 << 20));
  for (const auto& subscription : subscriptions) subscription->End();
  // What they took is free once they have ended.
  while (true) {
    const auto again = SubscribeAt(3, request);
    if (again->Next().has_acknowledgement()) break;
  }
}

Settings WithFewStreams() {
  Settings settings = TestSettings();
  settings.max_concurrent_streams = 3;
  return settings;
}

class FewStreamsTest : public RoutedSubscribeTest {
 protected:
  FewStreamsTest() : RoutedSubscribeTest(WithFewStreams()) {}
};

TEST_F(FewStreamsTest, ConnectionsToPeersHaveNoMoreThanTheyMay) {
  v1::SubscribeRequest request;
  request.add_channels(KeyOf(1));
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (int i = 0; i < 20; ++i) {
    const auto stub = v1::CacheService::NewStub(Connect(members_[0].address));
    auto& subscription = subscriptions.emplace_back(std::make_unique<Subscription>());
    subscription->reader = stub->Subscribe(&subscription->context, request);
    const v1::SubscriptionEvent first = subscription->Next();
    ASSERT_TRUE(first.has_acknowledgement()) << subscription->End().error_message();
  }
  PublishAt(2, KeyOf(1), "a");
  for (const auto& subscription : subscriptions) {
    EXPECT_EQ(subscription->NextPayload(), "a");
    subscription->End();
  }
}

}  // namespace
}  // namespace ferrite
