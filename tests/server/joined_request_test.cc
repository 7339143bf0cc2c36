#include "server/engine/joined_request.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

class JoinedRequestTest : public CallTest {
 protected:
  // A call that is answered with the size of its request.
  void MakeJoined() {
    Make(Shape::kUnary);
    rpc_.handler =
        OfJoinedRequests([this, plain = std::move(rpc_.handler)](Turn* turn) -> absl::Status {
          EXPECT_TRUE(turn->request().in_one_piece());
          seen_ = turn->request().bytes();
          return plain(turn);
        });
  }
  int RunSteps() {
    int steps = 0;
    while (thread_.RunYielded()) ++steps;
    return steps;
  }
  void End() {
    call_->OnFinished();
    call_->OnGone();
    ExpectOver();
  }

  const std::vector<std::string> pieces_ = std::vector<std::string>(300, std::string(8192, 'p'));
  std::string seen_;
};

TEST_F(JoinedRequestTest, ALargeRequestIsJoinedInSteps) {
  transport_.SetRequest(pieces_);
  MakeJoined();
  Begin();
  EXPECT_EQ(handled_, 0);
  EXPECT_GE(RunSteps(), 8);  // 2.4 MB, 256 KiB at a time
  EXPECT_EQ(handled_, 1);
  EXPECT_EQ(seen_, std::string(300 * 8192, 'p'));
  EXPECT_EQ(transport_.last_message, "at once");
  End();
}

TEST_F(JoinedRequestTest, ItsAnswerMayTakeItsTime) {
  transport_.SetRequest(pieces_);
  scripted_ = true;
  script_.steps = {Next::kYield, Next::kWait, Next::kEnd};
  MakeJoined();
  Begin();
  RunSteps();
  EXPECT_EQ(script_.asked, 2);
  Wake();
  EXPECT_EQ(transport_.last_message, "later");
  End();
}

TEST_F(JoinedRequestTest, ItMayBeRefused) {
  transport_.SetRequest(pieces_);
  refuse_ = absl::InvalidArgumentError("no");
  MakeJoined();
  Begin();
  RunSteps();
  EXPECT_EQ(finished(), absl::StatusCode::kInvalidArgument);
  End();
}

TEST_F(JoinedRequestTest, ItsClientMayLeaveMeanwhile) {
  transport_.SetRequest(pieces_);
  MakeJoined();
  Begin();
  call_->OnGone();
  RunSteps();
  EXPECT_EQ(handled_, 0);
  ExpectOver();
}

TEST_F(JoinedRequestTest, SmallOnesAreAnsweredAtOnce) {
  const std::vector<std::string> two = {"ab", "c"};
  transport_.SetRequest(two);
  Make(Shape::kUnary);
  rpc_.handler = OfJoinedRequests([this](Turn* turn) {
    seen_ = turn->request().bytes();
    return absl::OkStatus();
  });
  Begin();
  EXPECT_EQ(seen_, "abc");
  EXPECT_TRUE(transport_.finished.has_value());
  End();
}

}  // namespace
}  // namespace ferrite
