// Of a batch, a slot that is no longer served here costs only its own keys; what fails is counted
// once, and does not hide that something may have been done.

#include "server/routing/lapsed_batch.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "server/call/status.h"
#include "server/routing/destination.h"
#include "server/routing/forwarded_result.h"
#include "server/routing/gather.h"
#include "server/routing/router.h"
#include "server/routing/scattered.h"
#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

using Place = cluster::Route::Place;

constexpr char kGone[] = "gone";
constexpr char kHere[] = "here";

class LapsedBatchTest : public CallTest {
 protected:
  LapsedBatchTest() {
    right_.Set(std::numeric_limits<int64_t>::max());
    Publish(Place::kHere);
  }
  // All slots are here, but perhaps that of one key.
  void Publish(Place place) {
    auto view = std::make_shared<cluster::ClusterView>(
        cluster::ClusterView::Version{.epoch = 1},
        cluster::ClusterView::Nodes{std::make_shared<cluster::ViewNode>()});
    view->Assign(0, kSlotCount - 1, {Place::kHere, 0});
    view->Assign(SlotOf(kGone), SlotOf(kGone), {place, 0});
    view_.Publish(std::move(view));
  }

  cluster::PublishedView view_;
  cluster::ServingRight right_;
  Router router_{{.view = &view_, .right = &right_}, 1};
};

// Answers a frame of Gets with their keys, after two steps in which it does nothing.
class FrameAnswer final : public Answer {
 public:
  FrameAnswer(const Request& frame, std::vector<std::string>* executed)
      : frame_(frame), executed_(*executed) {}

  Next Advance(ReplyWriter* message, CallEnd*) override {
    if (++steps_ < 3) return Next::kYield;
    v1::PipelineRequest frame;
    EXPECT_TRUE(frame_.ParseInto(&frame));
    v1::PipelineResponse reply;
    for (const v1::Operation& operation : frame.operations()) {
      executed_.push_back(operation.get().key());
      reply.add_results()->mutable_get()->set_value(operation.get().key());
    }
    message->AppendMessage(reply);
    return Next::kEnd;
  }

 private:
  const Request& frame_;
  std::vector<std::string>& executed_;
  int steps_ = 0;
};

TEST_F(LapsedBatchTest, WhatHasNotBeenExecutedYetIsLeftOut) {
  std::vector<std::string> executed;
  const Handler frames = [&](Turn* turn) {
    turn->Later(std::make_unique<FrameAnswer>(turn->request(), &executed));
    return absl::OkStatus();
  };
  const Rpc rpc = {Method::kMGet, Shape::kUnary, [&](Turn* turn) {
                     std::vector<ScatteredOperation> operations;
                     for (const char* key : {kGone, kHere}) {
                       operations.push_back({.operation = {.body = key,
                                                           .field = v1::Operation::kGetFieldNumber,
                                                           .body_is_key = true},
                                             .key = key});
                     }
                     return Scatter(operations, false, &GatherMGet, &frames, router_.of(0), turn);
                   }};
  call_.emplace(&transport_, &rpc, &thread_);
  Begin();
  Publish(Place::kReleasing);
  while (thread_.RunYielded()) {
  }
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_TRUE(transport_.finished->status.ok()) << transport_.finished->status;
  EXPECT_EQ(executed, std::vector<std::string>{kHere});
  v1::MGetResponse response;
  ASSERT_TRUE(response.ParseFromString(transport_.last_message));
  EXPECT_EQ(response.results(1).value(), kHere);
  ASSERT_EQ(response.errors_size(), 1);
  EXPECT_EQ(response.errors(0).index(), 0u);
  EXPECT_EQ(response.errors(0).error().reason(), v1::SLOT_IN_TRANSITION);
  EXPECT_EQ(response.errors(0).error().metadata().at("executed"), "no");
  call_->OnFinished();
  call_->OnGone();
}

TEST_F(LapsedBatchTest, WhatHasBeenExecutedIsAnErrorOfItsKey) {
  const ServedSince since(router_.of(0));
  const Slots slots = {SlotOf(kHere), SlotOf(kGone)};
  Publish(Place::kReleasing);
  ReplyWriter reply;
  const auto expect_error = [](const auto& response) {
    ASSERT_EQ(response.errors_size(), 1);
    EXPECT_EQ(response.errors(0).index(), 1u);
    EXPECT_EQ(response.errors(0).error().reason(), v1::LEASE_LOST);
    EXPECT_EQ(response.errors(0).error().metadata().at("executed"), "unknown");
  };

  v1::MGetResponse read;
  for (const char* key : {kHere, kGone}) read.add_results()->set_value(key);
  reply.AppendMessage(read);
  ASSERT_TRUE(ReplaceLapsed(Method::kMGet, slots, since, &reply).ok());
  ASSERT_TRUE(read.ParseFromString(TakeBytes(&reply)));
  EXPECT_EQ(read.results(0).value(), kHere);
  EXPECT_EQ(read.results(1).value(), "");
  expect_error(read);

  v1::MDeleteResponse removed;
  for (int i = 0; i < 2; ++i) removed.add_deleted(true);
  reply.AppendMessage(removed);
  ASSERT_TRUE(ReplaceLapsed(Method::kMDelete, slots, since, &reply).ok());
  ASSERT_TRUE(removed.ParseFromString(TakeBytes(&reply)));
  EXPECT_TRUE(removed.deleted(0));
  EXPECT_FALSE(removed.deleted(1));
  expect_error(removed);

  v1::ExistsResponse there;
  for (int i = 0; i < 2; ++i) there.add_exists(true);
  reply.AppendMessage(there);
  ASSERT_TRUE(ReplaceLapsed(Method::kExists, slots, since, &reply).ok());
  ASSERT_TRUE(there.ParseFromString(TakeBytes(&reply)));
  EXPECT_TRUE(there.exists(0));
  EXPECT_FALSE(there.exists(1));
  expect_error(there);

  v1::MSetResponse written;
  for (int i = 0; i < 2; ++i) written.add_results()->mutable_response()->set_stored(true);
  reply.AppendMessage(written);
  ASSERT_TRUE(ReplaceLapsed(Method::kMSet, slots, since, &reply).ok());
  ASSERT_TRUE(written.ParseFromString(TakeBytes(&reply)));
  EXPECT_TRUE(written.results(0).response().stored());
  EXPECT_EQ(written.results(1).error().reason(), v1::LEASE_LOST);
}

TEST_F(LapsedBatchTest, ABatchWithoutAnyResultFailsAndItsKeysAreCountedOnce) {
  const ServedSince since(router_.of(0));
  right_.Set(0);
  v1::MGetResponse read;
  for (int i = 0; i < 2; ++i) read.add_results();
  Make(Shape::kUnary, Method::kMGet);
  rpc_.handler = [&](Turn* turn) {
    turn->reply()->AppendMessage(read);
    return ReplaceLapsed(Method::kMGet, {SlotOf(kHere), SlotOf(kGone)}, since, turn->reply());
  };
  Begin();
  EXPECT_EQ(finished(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Refused(v1::LEASE_LOST), 2u);
  call_->OnFinished();
  call_->OnGone();
}

TEST_F(LapsedBatchTest, ABatchWithoutAnyResultDoesNotSayThatNothingWasDoneIfSomethingMayBe) {
  const ScatteredResults results = {
      {.result = {.status = NotServed(Way::kUnowned, *view_.Get(), 0)}},
      {.result = {.status = PeerUnreachable("n", "a", absl::OkStatus(), /*sent=*/true)}}};
  ReplyWriter reply;
  for (const Gather gather : {&GatherMGet, &GatherMDelete, &GatherExists}) {
    const absl::Status status = gather(results, &reply);
    EXPECT_EQ(ReasonOf(status), v1::PEER_UNREACHABLE);
    EXPECT_EQ(ErrorInfoOf(status).metadata().at("executed"), "unknown");
  }
}

TEST_F(LapsedBatchTest, WhatWasExecutedIsNotSentAgainForItsResultsSake) {
  v1::OperationError error;
  error.set_code(static_cast<int>(absl::StatusCode::kResourceExhausted));
  error.set_reason(v1::REPLY_TOO_LARGE);
  std::string bytes = error.SerializeAsString();
  EXPECT_TRUE(FoundNoRoom({.field = v1::OperationResult::kErrorFieldNumber, .message = bytes}));
  (*error.mutable_metadata())["executed"] = "yes";
  bytes = error.SerializeAsString();
  EXPECT_FALSE(FoundNoRoom({.field = v1::OperationResult::kErrorFieldNumber, .message = bytes}));
}

TEST_F(LapsedBatchTest, RefusalsAreCountedByWhoRefused) {
  ScatteredResults own(3, {.result = {.status = NotServed(Way::kUnowned, *view_.Get(), 0)}});
  v1::OperationError error;
  error.set_code(static_cast<int>(absl::StatusCode::kInvalidArgument));
  error.set_reason(v1::VALUE_TOO_LARGE);
  const std::string of_owner = error.SerializeAsString();
  ScatteredResults others(
      3, {.result = {.field = v1::OperationResult::kErrorFieldNumber, .message = of_owner}});
  Make(Shape::kUnary, Method::kMGet);
  for (const ScatteredResults& results : {own, others}) {
    rpc_.handler = [&](Turn* turn) { return GatherMGet(results, turn->reply()); };
    transport_.finished.reset();
    call_.emplace(&transport_, &rpc_, &thread_);
    Begin();
    EXPECT_FALSE(transport_.finished->status.ok());
    call_->OnFinished();
    call_->OnGone();
  }
  EXPECT_EQ(Refused(v1::SLOT_UNOWNED), 3u);
  EXPECT_EQ(Refused(v1::VALUE_TOO_LARGE), 0u);
}

}  // namespace
}  // namespace ferrite
