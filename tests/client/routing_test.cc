// Which nodes of a cluster a Client calls, and what it does when they send it elsewhere, go, or
// disagree.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "client/error.h"
#include "proto/slot.h"
#include "tests/client/client_fixture.h"
#include "tests/client/cluster_peer.h"

namespace ferrite {
namespace {

using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Slots 866 and 12182: the first half and the second.
constexpr char kLow[] = "hello";
constexpr char kHigh[] = "foo";

// Whether frames carry the calls.
class RoutingTest : public testing::TestWithParam<bool> {
 protected:
  static constexpr int64_t kEpoch = 5;

  // The peers of `owners` own equal parts of the slots, in that order.
  static v1::Topology TopologyOf(const std::vector<const ClusterPeer*>& owners,
                                 int64_t epoch = kEpoch, uint64_t uid = 1) {
    v1::Topology topology;
    topology.set_cluster("test");
    topology.set_cluster_uid(uid);
    topology.set_epoch(epoch);
    const uint32_t share = kSlotCount / owners.size();
    for (uint32_t i = 0; i < owners.size(); ++i) {
      v1::TopologyNode* const node = topology.add_nodes();
      node->set_node_id("n" + std::to_string(i));
      node->set_address(owners[i]->address());
      v1::TopologySlots* const slots = topology.add_slots();
      slots->set_first(i * share);
      slots->set_last(i + 1 == owners.size() ? kSlotCount - 1 : (i + 1) * share - 1);
      slots->set_owner(i);
      slots->set_state(v1::SLOT_STATE_SERVED);
    }
    return topology;
  }

  static v1::OperationError MovedTo(const ClusterPeer& owner, int64_t epoch) {
    v1::OperationError error;
    error.set_code(9);
    error.set_message("slot 1 belongs to another");
    error.set_reason(v1::SLOT_MOVED);
    (*error.mutable_metadata())["address"] = owner.address();
    (*error.mutable_metadata())["epoch"] = std::to_string(epoch);
    return error;
  }
  static v1::OperationError Away(v1::ErrorReason reason) {
    v1::OperationError error;
    error.set_code(14);
    error.set_message("not now");
    error.set_reason(reason);
    error.set_retry_pushback_ms(1);
    return error;
  }

  ClientOptions Options() const { return {.batching = {.enabled = GetParam()}}; }
  std::unique_ptr<Client> ClientOfSeeds(const std::vector<std::string>& seeds,
                                        ClientOptions options) {
    options.seeds = seeds;
    options.default_timeout = absl::Seconds(60);
    options.retry.initial_backoff = absl::Milliseconds(1);
    options.retry.max_backoff = absl::Milliseconds(10);
    return *Client::Create(options);
  }
  // A client that knows what a_ tells: a_ and b_ have half of the slots each.
  void StartWithTwo() {
    Tell(TopologyOf({&a_, &b_}));
    client_ = ClientOfSeeds({a_.address()}, Options());
    AwaitOwner(kHigh, b_);
  }
  void Tell(const v1::Topology& topology) {
    for (ClusterPeer* const peer : {&a_, &b_, &c_}) peer->Tell(topology);
  }
  // Who answers.
  std::string AnswererOf(const std::string& key) {
    const auto reply = client_->Get(key);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->value() : "";
  }
  // Calls until the client knows who owns the key.
  void AwaitOwner(const std::string& key, const ClusterPeer& owner) {
    while (AnswererOf(key) != owner.address()) {
    }
  }

  ClusterPeer a_;
  ClusterPeer b_;
  ClusterPeer c_;
  std::unique_ptr<Client> client_;
};

TEST_P(RoutingTest, CallsGoToTheOwnerOfTheirSlotAndSaySo) {
  StartWithTwo();
  EXPECT_EQ(AnswererOf(kLow), a_.address());
  EXPECT_EQ(AnswererOf(kHigh), b_.address());
  EXPECT_THAT(a_.direct_keys(), Each(kLow));
  EXPECT_THAT(b_.direct_keys(), Each(kHigh));
  // Before it knew, a seed had to forward.
  EXPECT_THAT(a_.other_keys(), Each(kHigh));
  EXPECT_THAT(b_.other_keys(), IsEmpty());
}

TEST_P(RoutingTest, AnyNodeIsEnoughWithoutATopology) {
  Tell(TopologyOf({&a_, &b_}));
  ClientOptions options = Options();
  options.routing = RoutingMode::kAnyNode;
  client_ = ClientOfSeeds({a_.address()}, options);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(AnswererOf(kHigh), a_.address());
  EXPECT_THAT(a_.direct_keys(), IsEmpty());
  EXPECT_EQ(a_.watched(), 0);
}

TEST_P(RoutingTest, ASingleNodeIsCalledAsEver) {
  v1::Topology lone;
  lone.add_nodes()->set_slots_owned(kSlotCount);
  lone.add_slots()->set_last(kSlotCount - 1);
  a_.Tell(lone);
  client_ = ClientOfSeeds({a_.address()}, Options());
  EXPECT_EQ(AnswererOf(kHigh), a_.address());
  a_.AwaitWatched(1);
  a_.AwaitWatchers(0);  // nothing is left of it on the node
  EXPECT_EQ(AnswererOf(kHigh), a_.address());
  EXPECT_THAT(a_.direct_keys(), IsEmpty());
  EXPECT_EQ(a_.watched(), 1);
}

TEST_P(RoutingTest, AnySeedThatLivesIsEnough) {
  for (ClusterPeer* const gone : {&a_, &b_}) gone->Stop();
  c_.Tell(TopologyOf({&c_}));
  client_ = ClientOfSeeds({a_.address(), b_.address(), c_.address()}, Options());
  // Not even a call that must not be repeated minds: it had not been sent.
  const auto counted = client_->Incr(kLow);
  EXPECT_TRUE(counted.ok()) << counted.status();
  EXPECT_EQ(AnswererOf(kHigh), c_.address());
}

TEST_P(RoutingTest, AMoveIsFollowedAlsoByWhatMustNotBeRepeated) {
  v1::Topology topology = TopologyOf({&a_, &b_});
  topology.add_nodes()->set_address(c_.address());  // which owns nothing yet
  Tell(topology);
  client_ = ClientOfSeeds({a_.address()}, Options());
  AwaitOwner(kHigh, b_);
  b_.Refuse([this](const std::string&) { return MovedTo(c_, kEpoch + 1); });
  const auto counted = client_->Incr(kHigh);
  EXPECT_TRUE(counted.ok()) << counted.status();
  EXPECT_THAT(c_.direct_keys(), Contains(kHigh));
}

TEST_P(RoutingTest, AMoveToANodeThatIsNotKnownYetIsForwarded) {
  StartWithTwo();
  b_.Refuse([this](const std::string&) { return MovedTo(c_, kEpoch + 1); });
  EXPECT_EQ(AnswererOf(kHigh), a_.address());  // which would forward it
  EXPECT_THAT(a_.other_keys(), Contains(kHigh));
}

TEST_P(RoutingTest, ANodeThatIsCutOffIsNotAskedForTheMap) {
  StartWithTwo();
  a_.AwaitWatchers(1);
  // Its slots are another's by now, but it has not heard of that.
  for (ClusterPeer* const peer : {&b_, &c_}) peer->Tell(TopologyOf({&c_, &b_}, kEpoch + 1));
  a_.Refuse([](const std::string&) { return Away(v1::LEASE_LOST); });
  EXPECT_EQ(AnswererOf(kLow), c_.address());
}

TEST_P(RoutingTest, ANodeThatLagsBehindIsGivenTime) {
  Tell(TopologyOf({&a_, &b_}));
  b_.Refuse([this, left = 20](const std::string&) mutable {
    return left-- > 0 ? std::optional(MovedTo(a_, kEpoch - 1)) : std::nullopt;
  });
  client_ = ClientOfSeeds({a_.address()}, Options());
  AwaitOwner(kHigh, b_);
}

TEST_P(RoutingTest, ANodeThatLagsBehindForTooLongMakesCallsLate) {
  StartWithTwo();
  b_.Refuse([this](const std::string&) { return MovedTo(a_, kEpoch - 1); });
  const auto reply = client_->Get(GetOf(kHigh), {.timeout = absl::Milliseconds(50)});
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded) << reply.status();
}

TEST_P(RoutingTest, ACallThatIsHeldBackWhereItWasSentOnSaysSo) {
  Tell(TopologyOf({&c_, &b_}));
  client_ = ClientOfSeeds({b_.address()}, Options());
  AwaitOwner(kLow, c_);
  c_.Refuse([](const std::string&) {
    v1::OperationError error;
    error.set_code(8);
    error.set_reason(v1::OVERLOADED);
    return error;
  });
  for (int i = 0; i < 200; ++i) (void)client_->Get(kLow);
  b_.Refuse([this](const std::string&) { return MovedTo(c_, kEpoch + 1); });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ReasonOf(client_->Get(kHigh).status()), "OVERLOADED");
}

TEST_P(RoutingTest, ACircleEndsWithAClearError) {
  StartWithTwo();
  a_.Refuse([this](const std::string&) { return MovedTo(b_, kEpoch + 1); });
  b_.Refuse([this](const std::string&) { return MovedTo(a_, kEpoch + 1); });
  const auto reply = client_->Get(kHigh);
  EXPECT_EQ(ReasonOf(reply.status()), "SLOT_MOVED");
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("do not agree on who owns it"));
}

TEST_P(RoutingTest, WhatNobodyServesForNowIsTriedUntilSomebodyDoes) {
  StartWithTwo();
  for (const v1::ErrorReason reason : {v1::SLOT_IN_TRANSITION, v1::SLOT_UNOWNED}) {
    b_.Refuse([=, left = 20](const std::string&) mutable {
      return left-- > 0 ? std::optional(Away(reason)) : std::nullopt;
    });
    const auto counted = client_->Incr(kHigh);  // nothing had been done
    EXPECT_TRUE(counted.ok()) << counted.status();
  }
}

TEST_P(RoutingTest, PatienceDoesNotUseUpTheTries) {
  StartWithTwo();
  b_.Refuse([=, left = 23](const std::string&) mutable {
    if (--left < 0) return std::optional<v1::OperationError>();
    v1::OperationError error = Away(v1::SLOT_IN_TRANSITION);
    if (left < 3) error.clear_reason();  // and then it fails in another way
    return std::optional(error);
  });
  EXPECT_EQ(AnswererOf(kHigh), b_.address());
}

TEST_P(RoutingTest, ANodeThatCannotReachAnotherIsNotTakenForDown) {
  StartWithTwo();
  a_.Refuse([=, left = 1](const std::string&) mutable {
    v1::OperationError error = Away(v1::PEER_UNREACHABLE);
    error.set_message("node n1 could not be reached: failed to connect to all addresses");
    return left-- > 0 ? std::optional(error) : std::nullopt;
  });
  EXPECT_EQ(AnswererOf(kLow), a_.address());
  EXPECT_THAT(b_.other_keys(), IsEmpty());
}

TEST_P(RoutingTest, WhatMayHaveBeenDoneIsRepeatedOnlyIfThatDoesNoHarm) {
  StartWithTwo();
  b_.Refuse([=, left = 20](const std::string&) mutable {
    return left-- > 0 ? std::optional(Away(v1::LEASE_LOST)) : std::nullopt;
  });
  EXPECT_EQ(ReasonOf(client_->Incr(kHigh).status()), "LEASE_LOST");
  EXPECT_EQ(AnswererOf(kHigh), b_.address());
}

TEST_P(RoutingTest, WhileAnOwnerIsDownAnotherNodeForwards) {
  StartWithTwo();
  b_.Stop();
  const auto counted = client_->Get(kHigh);
  EXPECT_TRUE(counted.ok()) << counted.status();
  EXPECT_THAT(a_.other_keys(), Contains(kHigh));
}

TEST_P(RoutingTest, CallsAboutANodeGoToSeedsOnly) {
  StartWithTwo();
  EXPECT_EQ(client_->Info()->version(), a_.address());
  a_.Stop();
  EXPECT_EQ(AnswererOf(kHigh), b_.address());
  const auto info = client_->Info();
  EXPECT_TRUE(absl::IsUnavailable(info.status())) << info->version();
}

TEST_P(RoutingTest, AnotherSeedIsAskedAboutItselfWhileTheFirstIsDown) {
  client_ = ClientOfSeeds({a_.address(), b_.address()}, Options());
  a_.Stop();
  const auto info = client_->Info();
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->version(), b_.address());
}

TEST_P(RoutingTest, WhatChangesANodeNeverGoesToAnother) {
  const auto change = [this] {
    return std::vector{client_->Flush().status(), client_->SetConfig({}).status(),
                       client_->ResetSlowLog().status()};
  };
  for (const bool is_cluster : {false, true}) {
    if (is_cluster) Tell(TopologyOf({&a_, &b_}));
    client_ = ClientOfSeeds({a_.address(), b_.address()}, Options());
    if (is_cluster) AwaitOwner(kHigh, b_);
    EXPECT_THAT(change(), Each(absl::OkStatus()));
    const int changes = a_.changes();
    a_.Stop();
    EXPECT_TRUE(client_->Info().ok());  // from now on the other seed is asked
    for (const absl::Status& status : change()) EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    a_.Restart();
    EXPECT_EQ(a_.changes(), changes);
  }
  EXPECT_EQ(b_.changes(), 0);
}

TEST_P(RoutingTest, ANodeThatComesIsCalledAndOneThatGoesIsNot) {
  StartWithTwo();
  Tell(TopologyOf({&a_, &c_}, kEpoch + 1));
  AwaitOwner(kHigh, c_);
  const size_t before = b_.direct_keys().size();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(AnswererOf(kHigh), c_.address());
  EXPECT_EQ(b_.direct_keys().size(), before);
  Tell(TopologyOf({&a_, &b_}, kEpoch + 2));
  AwaitOwner(kHigh, b_);
}

TEST_P(RoutingTest, CallsOfANodeThatGoesEndThere) {
  StartWithTwo();
  const size_t before = b_.direct_keys().size();
  b_.Hold();
  std::atomic<int> answers{0};
  client_->GetAsync(GetOf(kHigh), {}, [&](const auto& reply) {
    EXPECT_EQ(reply->value(), b_.address());
    answers = 1;
    answers.notify_all();
  });
  b_.AwaitKeys(before + 1);
  Tell(TopologyOf({&c_}, kEpoch + 1));
  AwaitOwner(kLow, c_);
  EXPECT_EQ(answers, 0);
  b_.Release();
  answers.wait(0);
}

TEST_P(RoutingTest, WhatANodeThatHasGoneDoesNotAnswerIsSentAgain) {
  if (!GetParam()) GTEST_SKIP() << "a call alone waits for its deadline";
  StartWithTwo();
  const size_t before = b_.direct_keys().size();
  b_.Hold();
  std::atomic<int> answers{0};
  client_->GetAsync(GetOf(kHigh), {}, [&](const auto& reply) {
    EXPECT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->value(), c_.address());
    answers = 1;
    answers.notify_all();
  });
  b_.AwaitKeys(before + 1);
  Tell(TopologyOf({&c_}, kEpoch + 1));
  answers.wait(0);
}

TEST_P(RoutingTest, AnOlderMapAndAnotherClustersAreNotTaken) {
  StartWithTwo();
  a_.Tell(TopologyOf({&c_}, kEpoch - 1));
  v1::Topology other = TopologyOf({&c_}, kEpoch + 1);
  other.set_cluster("other");
  a_.Tell(other);
  b_.AwaitWatched(1);  // it asks another node now
  EXPECT_EQ(AnswererOf(kHigh), b_.address());
  EXPECT_EQ(AnswererOf(kLow), a_.address());
  // After the cluster's data was lost its epochs begin anew.
  b_.Tell(TopologyOf({&c_}, kEpoch - 1, /*uid=*/2));
  AwaitOwner(kHigh, c_);
}

TEST_P(RoutingTest, TheTopologyGoesOnWithAnotherNode) {
  StartWithTwo();
  a_.AwaitWatchers(1);
  a_.Stop();
  b_.AwaitWatched(1);
  b_.Tell(TopologyOf({&c_, &b_}, kEpoch + 1));
  AwaitOwner(kLow, c_);
}

TEST_P(RoutingTest, TheTopologyGoesOnWithAnotherNodeIfOneIsSilent) {
  StartWithTwo();
  a_.AwaitWatchers(1);
  a_.Hold();
  while (b_.watched() == 0) {
    (void)client_->Get(GetOf(kLow), {.timeout = absl::Milliseconds(50)});
  }
  a_.Release();
}

TEST_P(RoutingTest, ANodeThatAnswersThatItIsTooLateIsNotSilent) {
  StartWithTwo();
  a_.AwaitWatchers(1);
  a_.Refuse([](const std::string&) {
    v1::OperationError error;
    error.set_code(4);
    error.set_reason(v1::DEADLINE_PASSED);
    return error;
  });
  EXPECT_TRUE(absl::IsDeadlineExceeded(client_->Get(kLow).status()));
  a_.Refuse({});
  Tell(TopologyOf({&c_, &b_}, kEpoch + 1));
  AwaitOwner(kLow, c_);
  EXPECT_EQ(a_.watched(), 1);
  EXPECT_EQ(b_.watched() + c_.watched(), 0);
}

TEST_P(RoutingTest, BatchesAreSentToAllOwnersAndPutTogether) {
  StartWithTwo();
  b_.Refuse([this, left = 1](const std::string&) mutable {
    return left-- > 0 ? std::optional(Away(v1::SLOT_IN_TRANSITION)) : std::nullopt;
  });
  const auto reply = client_->MGet({kLow, kHigh, kLow});
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->results(0).value(), a_.address());
  EXPECT_EQ(reply->results(1).value(), b_.address());
  EXPECT_EQ(reply->results(2).value(), a_.address());
  EXPECT_EQ(reply->errors_size(), 0);
}

TEST_P(RoutingTest, AClientEndsWithCallsOnNodesThatHaveGone) {
  StartWithTwo();
  b_.Hold();
  const size_t before = b_.direct_keys().size();
  Outcomes outcomes;
  for (int i = 0; i < 10; ++i) {
    client_->GetAsync(GetOf(kHigh), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
  }
  b_.AwaitKeys(before + 1);
  Tell(TopologyOf({&c_}, kEpoch + 1));
  AwaitOwner(kLow, c_);
  client_.reset();
  EXPECT_EQ(outcomes.all(), 10);
}

TEST_P(RoutingTest, ATopologyThatMakesNoSenseIsNotTaken) {
  StartWithTwo();
  v1::Topology senseless = TopologyOf({&a_, &b_}, kEpoch + 1);
  senseless.mutable_slots(0)->set_owner(77);
  a_.Tell(senseless);
  b_.AwaitWatched(1);
  EXPECT_EQ(AnswererOf(kHigh), b_.address());
}

TEST_P(RoutingTest, FiveThousandNodesCostLittleUntilTheyAreCalled) {
  v1::Topology topology = TopologyOf({&a_, &b_});
  for (int i = 0; i < 5000; ++i) {
    v1::TopologyNode* const node = topology.add_nodes();
    node->set_node_id("x" + std::to_string(i));
    node->set_address("127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) +
                      ":1");
  }
  Tell(topology);
  client_ = ClientOfSeeds({a_.address()}, Options());
  AwaitOwner(kHigh, b_);
  EXPECT_EQ(AnswererOf(kLow), a_.address());
}

INSTANTIATE_TEST_SUITE_P(Calls, RoutingTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "InFrames" : "Alone"; });

}  // namespace
}  // namespace ferrite
