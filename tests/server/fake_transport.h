#pragma once

// A call without gRPC: a transport and a thread whose events a test gives by hand.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/engine/call.h"
#include "server/engine/serving_thread.h"
#include "server/engine/transport.h"

namespace ferrite {

// Runs what is posted, and what calls have asked for, when it is told to.
class FakeThread final : public ServingThread {
 public:
  FakeThread(Admissions* admissions, SlowCalls* slow_calls)
      : ServingThread(0, admissions, slow_calls) {
    SetCurrent();
    departures()->EndAfter({});  // no timer, but those that tests set
  }

  void Post(std::function<void()> body) override { posted_.push_back(std::move(body)); }
  void NoteWait(int64_t) override {}

  // Until nothing is left to do, except for calls that yield.
  void Run() {
    while (!posted_.empty()) {
      const std::function<void()> body = std::move(posted_.front());
      posted_.pop_front();
      body();
      EndStep();
    }
    EndStep();
    Between();
  }
  // One step of a call that has yielded; false if there is none.
  bool RunYielded() { return AskOneLater(); }
  void CloseNow() { Close(); }

 private:
  std::deque<std::function<void()>> posted_;
};

// What the call did to its far end. The test ends operations by calling the call's On... functions.
class FakeTransport final : public Transport {
 public:
  Clock::time_point deadline() const override { return deadline_; }
  std::string peer() const override { return "test"; }
  std::optional<std::string_view> Metadata(std::string_view name) const override {
    const auto found = metadata.find(std::string(name));
    if (found == metadata.end()) return std::nullopt;
    return found->second;
  }

  const Request& request() const override { return message_->request; }
  void ForgetRequest() override { message_ = std::make_shared<Message>(); }
  std::shared_ptr<const Request> TakeRequest() override {
    const auto taken = std::exchange(message_, std::make_shared<Message>());
    return {taken, &taken->request};
  }
  uint64_t connection() const override { return connection_number; }
  absl::Status CheckMessage() const override { return message_problem; }
  void StartOpening() override { ++openings; }
  void StartRead() override { ++reads; }
  void StartWrite(ReplyWriter* message) override { written.push_back(TakeBytes(message)); }
  void StartFinish(const CallEnd& end, ReplyWriter* message) override {
    EXPECT_FALSE(finished.has_value()) << "finished twice";
    finished = end;
    if (end.status.ok()) last_message = TakeBytes(message);
  }
  void Cancel() override { ++cancelled; }
  void TakeNext() override { ++took_next; }
  void Release() override { ++released; }

  void SetRequest(std::string bytes) {
    message_ = std::make_shared<Message>();
    message_->bytes = std::move(bytes);
    message_->request = Request(std::string_view(message_->bytes));
  }
  // Which must stay in place.
  void SetRequest(const std::vector<std::string>& pieces) {
    message_ = std::make_shared<Message>();
    message_->request = Request(std::vector<std::string_view>(pieces.begin(), pieces.end()));
  }
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }

  std::map<std::string, std::string> metadata;
  uint64_t connection_number = 1;
  absl::Status message_problem;
  int openings = 0;
  int reads = 0;
  std::vector<std::string> written;
  std::optional<CallEnd> finished;
  std::string last_message;  // of a unary call
  int cancelled = 0;
  int took_next = 0;
  int released = 0;

 private:
  struct Message {
    std::string bytes;
    Request request;
  };

  Clock::time_point deadline_ = Clock::time_point::max();
  std::shared_ptr<Message> message_ = std::make_shared<Message>();
};

}  // namespace ferrite
