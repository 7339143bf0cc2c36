#pragma once

// Verbs for tests of the call queue, with made-up times.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <utility>

#include "client/pipeline/call_queue.h"
#include "tests/client/queued_call.h"

namespace ferrite {

// How many calls make a further frame worth its cost.
inline constexpr int kWorthAFrame = 64;

class CallQueueTest : public testing::Test {
 protected:
  using EndReason = CallQueue::EndReason;
  using Frame = CallQueue::Frame;
  using milliseconds = std::chrono::milliseconds;
  using seconds = std::chrono::seconds;

  QueuedCall* NewCall(CallQueue::Duration timeout = seconds(10), size_t request_bytes = 10) {
    CallTerms terms;
    terms.timeout = absl::FromChrono(timeout);
    terms.deadline = now_ + timeout;
    return &calls_.emplace_back(std::move(terms), request_bytes);
  }
  // Adds a call that is not refused.
  QueuedCall* Add(CallQueue::Duration timeout = seconds(10), size_t request_bytes = 10) {
    QueuedCall* const call = NewCall(timeout, request_bytes);
    EXPECT_EQ(queue_->Add(call, now_), std::nullopt);
    return call;
  }
  void AddMany(int count, CallQueue::Duration timeout = seconds(10)) {
    for (int i = 0; i < count; ++i) Add(timeout);
  }
  // The frame that leaves now and is being written. Empty: none does.
  Frame Leaving() {
    const CallQueue::Step step = queue_->NextStep(now_);
    EXPECT_FALSE(step.open);
    return step.write == nullptr ? Frame() : *step.write;
  }
  // The frame that leaves now and has been written.
  Frame Written() {
    Frame frame = Leaving();
    if (!frame.empty()) queue_->OnWritten(true);
    return frame;
  }
  // Opens a stream, with nothing under way.
  void Open() {
    QueuedCall* const call = Add();
    EXPECT_TRUE(queue_->NextStep(now_).open);
    queue_->OnOpened(true, now_);
    EXPECT_THAT(Written(), testing::ElementsAre(call));
    EXPECT_THAT(Answered(), testing::ElementsAre(call));
  }
  // The frame whose reply comes now and is delivered.
  Frame Answered() {
    Frame frame = queue_->OnReply(/*last_is_unsent=*/false);
    queue_->OnDelivered();
    return frame;
  }
  // The calls that end now.
  std::map<PendingCall*, EndReason> Due() {
    std::map<PendingCall*, EndReason> due;
    for (const CallQueue::DueCall& call : queue_->TakeDue(now_)) {
      EXPECT_TRUE(due.emplace(call.call, call.reason).second);
    }
    return due;
  }
  CallQueue::Remains End(bool knows_frames = true, CallQueue::Duration pause = {}) {
    queue_->OnBroken();
    queue_->OnFinished();
    EXPECT_TRUE(queue_->StreamHasEnded());
    return queue_->EndStream(knows_frames, pause, now_);
  }
  // Opens a stream on which the node has answered `per_second` calls for a while, during which
  // calls with `timeout` have always been queued.
  void MakeBusy(int per_second, CallQueue::Duration timeout) {
    Open();
    AddMany(1 + 2 * kWorthAFrame + per_second / 10 + kWorthAFrame, timeout);
    Written();  // the first of two frames
    Written();
    int answered = 0;
    while (answered < per_second / 10) {
      const Frame frame = Answered();
      ASSERT_FALSE(frame.empty());
      answered += static_cast<int>(frame.size());
      now_ += milliseconds(1000) * frame.size() / per_second;
      Written();
    }
  }

  CallQueue::Time now_{std::chrono::hours(1000)};
  std::list<QueuedCall> calls_;
  std::optional<CallQueue> queue_{std::in_place, 8};
};

}  // namespace ferrite
