#pragma once

// A call whose handler does as the test says.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "server/call/status.h"
#include "server/engine/call.h"
#include "server/metrics/thread_counters.h"
#include "tests/server/fake_transport.h"

namespace ferrite {

inline void Append(std::string_view text, ReplyWriter* reply) {
  std::memcpy(reply->Append(text.size()), text.data(), text.size());
}

// An answer whose steps the test has written down; waits when there are none.
struct Script {
  std::vector<Answer::Next> steps;
  absl::Status end;
  int last_words = 0;
  int asked = 0;
  int sent = 0;
  int alive = 0;
};

class ScriptedAnswer final : public Answer {
 public:
  explicit ScriptedAnswer(Script* script) : script_(*script) { ++script_.alive; }
  ~ScriptedAnswer() override { --script_.alive; }

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    const size_t step = static_cast<size_t>(script_.asked++);
    const Next next = step < script_.steps.size() ? script_.steps[step] : Next::kWait;
    if (next == Next::kMessage || next == Next::kEnd) Append("later", message);
    if (next == Next::kEnd) end->status = script_.end;
    return next;
  }
  void Sent() override { ++script_.sent; }
  bool WriteLastWord(ReplyWriter* message) override {
    if (script_.last_words == 0) return false;
    --script_.last_words;
    Append("last", message);
    return true;
  }

 private:
  Script& script_;
};

class CallTest : public testing::Test {
 protected:
  using Next = Answer::Next;

  CallTest() { counters_.AttachThread(); }

  // A call of that shape, whose handler answers at once if there is no script.
  void Make(Shape shape, Method method = Method::kGet) {
    rpc_ = {method, shape, [this](Turn* turn) -> absl::Status {
              ++handled_;
              received_ = turn->received();
              waker_ = turn->waker();
              if (!refuse_.ok()) return refuse_;
              if (scripted_) {
                turn->Later(std::make_unique<ScriptedAnswer>(&script_));
              } else {
                Append("at once", turn->reply());
              }
              return absl::OkStatus();
            }};
    call_.emplace(&transport_, &rpc_, &thread_);
  }
  void MakeWaiting(Shape shape, std::vector<Next> steps, Method method = Method::kGet) {
    scripted_ = true;
    script_.steps = std::move(steps);
    Make(shape, method);
  }
  // With the end of what opens the stream, if that was begun.
  void Begin() {
    call_->Begin();
    if (transport_.openings > 0) call_->OnOpened();
  }
  void Wake() {
    waker_->Wake();
    thread_.Run();
  }
  uint64_t Handled(absl::StatusCode code) {
    return counters_.Sum([&](const ThreadCounters& thread) {
      return thread.of(rpc_.method).handled[static_cast<size_t>(code)].load();
    });
  }
  uint64_t Refused(v1::ErrorReason reason) {
    return counters_.Sum(
        [&](const ThreadCounters& thread) { return thread.refused(static_cast<size_t>(reason)); });
  }
  absl::StatusCode finished() const { return transport_.finished->status.code(); }
  void ExpectOver() {
    EXPECT_EQ(transport_.released, 1);
    EXPECT_EQ(script_.alive, 0);
    EXPECT_EQ(counters_.Inflight(), 0u);
    EXPECT_EQ(counters_.Waiting(rpc_.method), 0u);
    EXPECT_EQ(admissions_.budget.operations(), 0u);
    EXPECT_EQ(admissions_.budget.bytes(), 0u);
    EXPECT_FALSE(thread_.has_calls());
  }

  CounterRegistry counters_;
  Admissions admissions_{{.operations = 40, .bytes = 1 << 24}, {.per_connection = 2}};
  SlowCalls slow_calls_{std::nullopt, 1};
  FakeThread thread_{&admissions_, &slow_calls_};
  FakeTransport transport_;
  Rpc rpc_;
  Script script_;
  bool scripted_ = false;
  absl::Status refuse_;
  int handled_ = 0;
  Turn::Clock::time_point received_;
  std::optional<Waker> waker_;
  std::optional<Call> call_;
};

}  // namespace ferrite
