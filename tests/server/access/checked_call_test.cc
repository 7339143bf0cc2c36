// Calls whose callers are looked at: when, and what is kept of it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/access/access_control.h"
#include "server/access/checked_rpcs.h"
#include "server/auth/loaded_policy.h"
#include "server/policy/policy_reader.h"
#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

constexpr char kAll[] =
    "roles: [{name: r, key_prefixes: [''], channel_prefixes: [''], verbs: [read, scan, "
    "subscribe]}]\n"
    "bindings: [{principal: anonymous, roles: [r]}]\n";
constexpr char kNothing[] = "roles: []\n";

class CheckedCallTest : public CallTest {
 protected:
  void Publish(const std::string& text) {
    auto policy = std::make_shared<const LoadedPolicy>(*policy::ReadPolicy(text, "policy"));
    last_ = policy;
    published_.Publish(std::move(policy));
  }
  void MakeChecked(Shape shape, Method method, std::vector<Next> steps) {
    MakeWaiting(shape, std::move(steps), method);
    rpc_ = Checked({rpc_}, &access_, nullptr, nullptr, subscribers_of_).front();
  }

  PublishedPolicy published_;
  std::weak_ptr<const LoadedPolicy> last_;
  AccessControl access_{&published_};
  SubscriberBudget subscribers_{1 << 20};
  const SubscribersOf subscribers_of_ = [this](const std::string*) {
    return std::shared_ptr<SubscriberBudget>(std::shared_ptr<void>(), &subscribers_);
  };
};

// They once took all places there are for streams, as nobody looked who they were before their
// first frame.
TEST_F(CheckedCallTest, AStreamOfNobodyTakesNoPlaceAndIsNotRead) {
  Publish(kNothing);
  for (const auto& [shape, method] :
       {std::pair(Shape::kFrames, Method::kPipeline), std::pair(Shape::kStream, Method::kScan),
        std::pair(Shape::kFeed, Method::kSubscribe),
        std::pair(Shape::kFeed, Method::kWatchTopology)}) {
    FakeTransport transport;
    MakeWaiting(shape, {}, method);
    rpc_ = Checked({rpc_}, &access_, nullptr, nullptr, subscribers_of_).front();
    call_.emplace(&transport, &rpc_, &thread_);
    call_->Begin();
    ASSERT_TRUE(transport.finished.has_value());
    EXPECT_EQ(ReasonOf(transport.finished->status), v1::CREDENTIALS_MISSING);
    EXPECT_EQ(admissions_.places.taken(), 0u);
    EXPECT_EQ(transport.reads, 0);
    EXPECT_EQ(handled_, 0);
    call_->OnFinished();
    call_->OnGone();
    call_.reset();
  }
}

TEST_F(CheckedCallTest, ALargeRequestOfNobodyIsNotJoined) {
  Publish(kNothing);
  MakeChecked(Shape::kUnary, Method::kMGet, {Next::kEnd});
  const std::vector<std::string> pieces(64, std::string(64 << 10, 'x'));
  transport_.SetRequest(pieces);
  Begin();
  ASSERT_TRUE(transport_.finished.has_value()) << "it was joined in steps";
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::CREDENTIALS_MISSING);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(CheckedCallTest, WhatIsOpenToAllTakesNoLargeRequest) {
  Publish(kNothing);
  MakeChecked(Shape::kUnary, Method::kHealthCheck, {Next::kEnd});
  transport_.SetRequest(std::string(65 << 10, 'x'));
  Begin();
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::REQUEST_TOO_LARGE);
  EXPECT_EQ(handled_, 0);
  call_->OnFinished();
  call_->OnGone();
}

TEST_F(CheckedCallTest, WhatIsKeptOfASubscriptionIsCountedAsItsTopicsAre) {
  Publish(kAll);
  MakeChecked(Shape::kFeed, Method::kSubscribe, {Next::kWait});
  v1::SubscribeRequest request;
  for (int i = 0; i < 100; ++i) request.add_channels(std::string(1000, 'c'));
  transport_.SetRequest(request.SerializeAsString());
  Begin();
  EXPECT_EQ(handled_, 1);
  EXPECT_GT(subscribers_.topics(), 100'000u);
  EXPECT_LT(subscribers_.topics(), 110'000u);
  call_->OnGone();
  EXPECT_EQ(subscribers_.topics(), 0u);
  ExpectOver();
}

TEST_F(CheckedCallTest, ASubscriptionForWhichThereIsNoRoomIsRefused) {
  Publish(kAll);
  MakeChecked(Shape::kFeed, Method::kSubscribe, {Next::kWait});
  v1::SubscribeRequest request;
  for (int i = 0; i < 600; ++i) request.add_channels(std::string(1000, 'c'));
  transport_.SetRequest(request.SerializeAsString());
  Begin();
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(ReasonOf(transport_.finished->status), v1::OVERLOADED);
  EXPECT_EQ(subscribers_.topics(), 0u);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

// Streams on which nothing happens once kept each policy that there had been.
TEST_F(CheckedCallTest, NothingThatWaitsKeepsAnOldPolicy) {
  Publish(kAll);
  MakeChecked(Shape::kFeed, Method::kSubscribe, {Next::kWait});
  v1::SubscribeRequest request;
  request.add_channels("news");
  transport_.SetRequest(request.SerializeAsString());
  Begin();
  EXPECT_EQ(handled_, 1);
  const KnownCaller known = access_.Know(transport_);
  const std::weak_ptr<const LoadedPolicy> before = last_;
  EXPECT_FALSE(before.expired());
  Publish(kNothing);
  published_.Now();  // as each serving thread does at a change
  EXPECT_TRUE(before.expired());
  EXPECT_FALSE(access_.StillHolds(known));
  call_->OnGone();
  ExpectOver();
}

TEST_F(CheckedCallTest, AStreamOfFramesKeepsNoOldPolicy) {
  Publish(kAll);
  MakeWaiting(Shape::kFrames, {Next::kEnd}, Method::kReflect);
  rpc_ = Checked({rpc_}, &access_, nullptr, nullptr, subscribers_of_).front();
  Begin();
  transport_.SetRequest(std::string("frame"));
  call_->OnRead(true);
  EXPECT_EQ(handled_, 1);
  const std::weak_ptr<const LoadedPolicy> before = last_;
  Publish(kNothing);
  published_.Now();
  EXPECT_TRUE(before.expired());
  call_->OnGone();
  call_->OnWritten(false);
}

}  // namespace
}  // namespace ferrite
