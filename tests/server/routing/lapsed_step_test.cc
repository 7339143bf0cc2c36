// An answer of several steps does nothing any more to slots that have been taken away.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "server/call/status.h"
#include "server/routing/router.h"
#include "server/routing/served_since.h"
#include "server/step_barrier.h"
#include "tests/server/fake_transport.h"

namespace ferrite {
namespace {

using Place = cluster::Route::Place;

struct CountingAnswer final : Answer {
  explicit CountingAnswer(int* steps) : steps(*steps) {}
  Next Advance(ReplyWriter*, CallEnd*) override { return ++steps < 3 ? Next::kYield : Next::kEnd; }
  int& steps;
};

class LapsedStepTest : public testing::Test {
 protected:
  LapsedStepTest() {
    right_.Set(std::numeric_limits<int64_t>::max());
    PublishWith(Place::kHere);
  }
  void PublishWith(Place place) {
    auto view = std::make_shared<cluster::ClusterView>(
        cluster::ClusterView::Version{.epoch = 1},
        cluster::ClusterView::Nodes{std::make_shared<cluster::ViewNode>()});
    view->Assign(5, 5, {place, 0});
    view_.Publish(std::move(view));
  }
  std::unique_ptr<Answer> BeginAt5() {
    const Request request;
    ReplyWriter reply;
    Turn turn(request, std::chrono::steady_clock::now(), transport_, &reply, nullptr);
    const auto plain = [this](Turn* part) {
      part->Later(std::make_unique<CountingAnswer>(&steps_));
      return absl::OkStatus();
    };
    EXPECT_TRUE(Serve(plain, {5}, ServedSince(router_.of(0)), &turn).ok());
    return turn.TakeAnswer();
  }

  cluster::PublishedView view_;
  cluster::ServingRight right_;
  Router router_{{.view = &view_, .right = &right_}, 1};
  FakeTransport transport_;
  int steps_ = 0;
  ReplyWriter message_;
  CallEnd end_;
};

TEST_F(LapsedStepTest, GoesOnWhileTheSlotIsHere) {
  const auto answer = BeginAt5();
  PublishWith(Place::kHere);
  EXPECT_EQ(answer->Advance(&message_, &end_), Answer::Next::kYield);
  EXPECT_EQ(answer->Advance(&message_, &end_), Answer::Next::kYield);
  EXPECT_EQ(answer->Advance(&message_, &end_), Answer::Next::kEnd);
  EXPECT_TRUE(end_.status.ok());
  EXPECT_EQ(steps_, 3);
}

TEST_F(LapsedStepTest, DoesNothingOnceTheSlotIsAnothers) {
  const auto answer = BeginAt5();
  EXPECT_EQ(answer->Advance(&message_, &end_), Answer::Next::kYield);
  PublishWith(Place::kReleasing);
  EXPECT_EQ(answer->Advance(&message_, &end_), Answer::Next::kEnd);
  EXPECT_EQ(ReasonOf(end_.status), v1::LEASE_LOST);
  EXPECT_EQ(steps_, 1);
}

TEST_F(LapsedStepTest, DoesNothingOnceTheRightHasEnded) {
  const auto answer = BeginAt5();
  right_.Set(0);
  EXPECT_EQ(answer->Advance(&message_, &end_), Answer::Next::kEnd);
  EXPECT_EQ(ReasonOf(end_.status), v1::LEASE_LOST);
  EXPECT_EQ(steps_, 0);
}

TEST(StepBarrierTest, IsPassedWhenEachThreadHasEndedItsStep) {
  std::vector<std::function<void()>> posted;
  StepBarrier barrier([&](const std::function<void()>& body) {
    posted.insert(posted.end(), 2, body);
    return 2;
  });
  EXPECT_FALSE(barrier.HasPassed(7));
  ASSERT_EQ(posted.size(), 2u);
  posted[0]();
  EXPECT_FALSE(barrier.HasPassed(7));
  posted[1]();
  EXPECT_TRUE(barrier.HasPassed(7));
  EXPECT_TRUE(barrier.HasPassed(6));  // older than what was waited for
  EXPECT_EQ(posted.size(), 2u);
  EXPECT_FALSE(barrier.HasPassed(8));
  EXPECT_EQ(posted.size(), 4u);
  posted[0]();  // of the one before
  EXPECT_FALSE(barrier.HasPassed(8));
}

}  // namespace
}  // namespace ferrite
