// Frames of one stream that are taken up while others before them wait.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tests/server/call_fixture.h"

namespace ferrite {
namespace {

class FramesBesideTest : public CallTest {
 protected:
  // What the handler does with the frame of this text; others wait until they are released, with
  // others beside them.
  std::set<std::string> at_once_;
  std::set<std::string> alone_;
  std::set<std::string> refused_;
  std::set<std::string> released_;
  int alive_ = 0;

  class WaitingAnswer final : public Answer {
   public:
    WaitingAnswer(FramesBesideTest* test, std::string frame)
        : test_(*test), frame_(std::move(frame)) {
      ++test_.alive_;
    }
    ~WaitingAnswer() override { --test_.alive_; }
    Next Advance(ReplyWriter* message, CallEnd*) override {
      if (test_.released_.count(frame_) == 0) {
        return test_.alone_.count(frame_) > 0 ? Next::kWait : Next::kWaitBeside;
      }
      Append("re " + frame_, message);
      return Next::kEnd;
    }

   private:
    FramesBesideTest& test_;
    const std::string frame_;
  };

  FramesBesideTest() {
    rpc_ = {Method::kPipeline, Shape::kFrames, [this](Turn* turn) -> absl::Status {
              ++handled_;
              waker_ = turn->waker();
              std::string frame(turn->request().bytes());
              if (refused_.count(frame) > 0) return absl::InvalidArgumentError("no");
              if (at_once_.count(frame) > 0) {
                Append("re " + frame, turn->reply());
              } else {
                turn->Later(std::make_unique<WaitingAnswer>(this, std::move(frame)));
              }
              return absl::OkStatus();
            }};
    call_.emplace(&transport_, &rpc_, &thread_);
    Begin();
  }
  void Receive(const std::string& frame) {
    transport_.SetRequest(frame);
    call_->OnRead(true);
  }
  void Release(const std::string& frame) {
    released_.insert(frame);
    Wake();
  }
  void EndStream() {
    call_->OnRead(false);
    ASSERT_TRUE(transport_.finished.has_value());
    call_->OnFinished();
    call_->OnGone();
    EXPECT_EQ(alive_, 0);
    ExpectOver();
  }
};

TEST_F(FramesBesideTest, AreTakenUpWhileOthersWaitAndAnsweredInOrder) {
  Receive("a");
  EXPECT_EQ(transport_.reads, 2);
  Receive("b");
  Receive("c");
  EXPECT_EQ(handled_, 3);
  Release("c");
  Release("b");
  EXPECT_TRUE(transport_.written.empty());
  Release("a");
  EXPECT_EQ(transport_.written, std::vector<std::string>{"re a"});
  call_->OnWritten(true);
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written, (std::vector<std::string>{"re a", "re b", "re c"}));
  EXPECT_EQ(transport_.reads, 4);
  call_->OnWritten(true);
  EndStream();
  EXPECT_TRUE(transport_.finished->status.ok());
}

TEST_F(FramesBesideTest, OneThatIsAnsweredAtOnceWaitsForThoseBefore) {
  at_once_ = {"b", "d"};
  Receive("a");
  Receive("b");
  Receive("c");
  Release("a");
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written, (std::vector<std::string>{"re a", "re b"}));
  Receive("d");  // while a reply is on its way and another one waits
  EXPECT_EQ(handled_, 4);
  call_->OnWritten(true);
  Release("c");
  call_->OnWritten(true);
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written, (std::vector<std::string>{"re a", "re b", "re c", "re d"}));
  EndStream();
}

TEST_F(FramesBesideTest, OneThatWaitsAloneHoldsUpThoseBehindIt) {
  alone_ = {"b"};
  Receive("a");
  Receive("b");
  EXPECT_EQ(transport_.reads, 2);
  Release("a");
  Receive("c");
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 2);
  Release("b");
  EXPECT_EQ(handled_, 2);
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 3);
  Release("c");
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written, (std::vector<std::string>{"re a", "re b", "re c"}));
  EndStream();
}

TEST_F(FramesBesideTest, ThereIsAMostOfThem) {
  for (size_t i = 0; i < Call::kMostFrames; ++i) Receive("f" + std::to_string(i));
  const int reads = transport_.reads;
  Receive("one more");
  EXPECT_EQ(handled_, static_cast<int>(Call::kMostFrames));
  EXPECT_EQ(transport_.reads, reads);  // what else comes stays where it is
  Release("f0");
  call_->OnWritten(true);
  EXPECT_EQ(handled_, static_cast<int>(Call::kMostFrames) + 1);
  for (size_t i = 1; i < Call::kMostFrames; ++i) {
    Release("f" + std::to_string(i));
    call_->OnWritten(true);
  }
  Release("one more");
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written.size(), Call::kMostFrames + 1);
  EXPECT_EQ(transport_.written.back(), "re one more");
  EndStream();
}

TEST_F(FramesBesideTest, LargeOnesWaitUntilTheyAreTheOnlyOnes) {
  const std::string large(Call::kMostLaterBytes, 'l');
  const std::string larger(Call::kMostLaterBytes + 1, 'l');
  released_ = {larger};
  Receive("a");
  Receive(large);
  EXPECT_EQ(handled_, 2);
  Receive("b");
  EXPECT_EQ(handled_, 2);
  Release("a");
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 3);  // beside the large one
  Receive(larger);
  Release(large);
  call_->OnWritten(true);
  Release("b");
  EXPECT_EQ(handled_, 3);
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 4);
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written.size(), 4u);
  EndStream();
}

TEST_F(FramesBesideTest, AreNotReadWhereTheyMightHaveToBeRefused) {
  InflightBudget::Share* const other = admissions_.budget.ShareOf(2);
  admissions_.budget.Take(other, 19, 0);
  Receive("a");
  EXPECT_EQ(transport_.reads, 1);
  admissions_.budget.GiveBack(other, 19, 0);
  Release("a");
  EXPECT_EQ(transport_.reads, 2);
  Receive("b");
  call_->OnWritten(true);
  Release("b");
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written, (std::vector<std::string>{"re a", "re b"}));
  EndStream();
}

TEST_F(FramesBesideTest, ARefusedOneEndsTheStreamAfterTheRepliesBefore) {
  refused_ = {"b"};
  Receive("a");
  Receive("b");
  EXPECT_EQ(transport_.reads, 2);  // nothing is taken up after it
  EXPECT_FALSE(transport_.finished.has_value());
  Release("a");
  EXPECT_FALSE(transport_.finished.has_value());
  Receive("c");
  call_->OnWritten(true);
  EXPECT_EQ(handled_, 2);
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(finished(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(transport_.written, std::vector<std::string>{"re a"});
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(FramesBesideTest, AllInHandAreAnsweredBeforeTheDrain) {
  Receive("a");
  Receive("b");
  thread_.Drain(absl::UnavailableError("drains"));
  Receive("c");
  EXPECT_EQ(handled_, 2);
  released_ = {"a", "b"};
  Wake();
  call_->OnWritten(true);
  EXPECT_FALSE(transport_.finished.has_value());
  call_->OnWritten(true);
  EXPECT_EQ(transport_.written, (std::vector<std::string>{"re a", "re b"}));
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(finished(), absl::StatusCode::kUnavailable);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

TEST_F(FramesBesideTest, GoWithTheirClient) {
  Receive("a");
  Receive("b");
  Receive("c");
  EXPECT_EQ(alive_, 3);
  call_->OnGone();
  EXPECT_EQ(alive_, 0);
  call_->OnRead(false);
  ExpectOver();
}

TEST_F(FramesBesideTest, AReplyThatCannotBeSentEndsTheStream) {
  Receive("a");
  Receive("b");
  Release("a");
  call_->OnWritten(false);
  ASSERT_TRUE(transport_.finished.has_value());
  EXPECT_EQ(alive_, 0);
  call_->OnRead(false);
  call_->OnFinished();
  call_->OnGone();
  ExpectOver();
}

}  // namespace
}  // namespace ferrite
