// What was done while the right to do it ended is not answered.

#include "server/routing/served_since.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "server/call/status.h"
#include "server/routing/router.h"
#include "tests/server/fake_transport.h"

namespace ferrite {
namespace {

using Place = cluster::Route::Place;

class ServedSinceTest : public testing::Test {
 protected:
  ServedSinceTest() {
    right_.Set(std::numeric_limits<int64_t>::max());
    PublishWith(Place::kHere);
  }

  // Slot 5 lies there, slot 6 is here.
  void PublishWith(Place place) {
    cluster::ClusterView::Nodes nodes = {std::make_shared<cluster::ViewNode>()};
    auto view = std::make_shared<cluster::ClusterView>(cluster::ClusterView::Version{.epoch = 1},
                                                       std::move(nodes));
    view->Assign(5, 5, {place, 0});
    view->Assign(6, 6, {Place::kHere, 0});
    view_.Publish(std::move(view));
  }
  void ExpectLapsed(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(status), v1::LEASE_LOST);
    EXPECT_EQ(ErrorInfoOf(status).metadata().at("executed"), "unknown");
  }
  // Serves a call about slot 5 during which `meanwhile()` happens.
  template <typename Meanwhile>
  absl::Status ServeAt5(absl::Status outcome, const Meanwhile& meanwhile) {
    const Request request;
    ReplyWriter reply;
    Turn turn(request, std::chrono::steady_clock::now(), transport_, &reply, nullptr);
    const auto plain = [&](Turn*) {
      meanwhile();
      return outcome;
    };
    return Serve(plain, {5}, ServedSince(router_.of(0)), &turn);
  }

  cluster::PublishedView view_;
  cluster::ServingRight right_;
  Router router_{{.view = &view_, .right = &right_}, 1};
  FakeTransport transport_;
};

TEST_F(ServedSinceTest, AsksForRightAndSlot) {
  const ServedSince since(router_.of(0));
  EXPECT_TRUE(since.AllStill());
  EXPECT_TRUE(since.Check(5).ok());
  PublishWith(Place::kHere);
  EXPECT_FALSE(since.AllStill());
  EXPECT_TRUE(since.Check(5).ok());
  PublishWith(Place::kReleasing);
  ExpectLapsed(since.Check(5));
  EXPECT_TRUE(since.Check(6).ok());
  PublishWith(Place::kHere);
  right_.Set(0);
  ExpectLapsed(since.Check(5));
}

TEST_F(ServedSinceTest, NothingIsAnsweredOnceTheRightHasEnded) {
  const absl::Status refused = absl::FailedPreconditionError("the state says so");
  EXPECT_TRUE(ServeAt5(absl::OkStatus(), [] {}).ok());
  EXPECT_EQ(ServeAt5(refused, [] {}), refused);
  for (const absl::Status& outcome : {absl::OkStatus(), refused}) {
    ExpectLapsed(ServeAt5(outcome, [this] { right_.Set(0); }));
    right_.Set(std::numeric_limits<int64_t>::max());
    ExpectLapsed(ServeAt5(outcome, [this] { PublishWith(Place::kElsewhere); }));
    PublishWith(Place::kHere);
  }
}

class EndingAnswer final : public Answer {
 public:
  Next Advance(ReplyWriter*, CallEnd*) override {
    return asked_++ == 0 ? Next::kYield : Next::kEnd;
  }

 private:
  int asked_ = 0;
};

TEST_F(ServedSinceTest, NorByAnAnswerThatTakesItsTime) {
  for (const bool lapses : {false, true}) {
    const Request request;
    ReplyWriter reply;
    Turn turn(request, std::chrono::steady_clock::now(), transport_, &reply, nullptr);
    const auto plain = [](Turn* of) {
      of->Later(std::make_unique<EndingAnswer>());
      return absl::OkStatus();
    };
    ASSERT_TRUE(Serve(plain, {5}, ServedSince(router_.of(0)), &turn).ok());
    const std::unique_ptr<Answer> answer = turn.TakeAnswer();
    CallEnd end;
    EXPECT_EQ(answer->Advance(&reply, &end), Answer::Next::kYield);
    if (lapses) right_.Set(0);
    EXPECT_EQ(answer->Advance(&reply, &end), Answer::Next::kEnd);
    EXPECT_EQ(end.status.ok(), !lapses);
    if (lapses) ExpectLapsed(end.status);
  }
}

}  // namespace
}  // namespace ferrite
