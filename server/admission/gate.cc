#include "server/admission/gate.h"

#include "server/call/status.h"

namespace ferrite {
namespace {

// Memory comes free when entries expire or are deleted, the request window in the course of a
// minute, and room for a subscription when another ends: not in a moment.
constexpr auto kLongDelay = std::chrono::milliseconds(500);

// What is in progress on one connection leaves it together, so a call may be out well after those
// before it would have been. And the time that a call has spent in a socket is not known here.
constexpr int kBacklogPart = 4;

// Made once: a refusal is to cost next to nothing.
const absl::Status& Overloaded(ShedReason reason) {
  constexpr auto make = [](const char* text) {
    return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, text);
  };
  static const absl::Status operations =
      make("as many operations are in progress as may be (--max-inflight-operations)");
  static const absl::Status bytes = make(
      "requests and replies in progress take as much memory as they may (--max-inflight-bytes)");
  static const absl::Status backlog =
      make("the work in progress would not leave this call enough time before its deadline");
  if (reason == ShedReason::kOperations) return operations;
  return reason == ShedReason::kBytes ? bytes : backlog;
}

Refusal Refuse(ShedReason reason, std::chrono::nanoseconds delay) {
  return {reason, delay, Overloaded(reason)};
}

}  // namespace

Passage& Passage::operator=(Passage&& other) noexcept {
  if (this == &other) return *this;
  End();
  gate_ = std::exchange(other.gate_, nullptr);
  operations_ = other.operations_;
  bytes_ = other.bytes_;
  reply_bytes_ = other.reply_bytes_;
  waiting_ = other.waiting_;
  return *this;
}

void Passage::HoldReply(uint64_t bytes) {
  if (gate_ == nullptr) return;
  gate_->shared_.budget.Exchange(reply_bytes_, bytes);
  bytes_ += bytes - reply_bytes_;
  reply_bytes_ = bytes;
}

void Passage::Wait() {
  if (gate_ == nullptr || std::exchange(waiting_, true)) return;
  gate_->forecast_.Left();
}

void Passage::Resume() {
  if (gate_ == nullptr || !std::exchange(waiting_, false)) return;
  gate_->forecast_.Started();
}

void Passage::End() {
  if (gate_ == nullptr) return;
  Resume();
  gate_->shared_.budget.GiveBack(operations_, bytes_);
  gate_->forecast_.Answered();
  gate_ = nullptr;
}

std::optional<Refusal> Gate::Admit(Method method, uint64_t operations, uint64_t request_bytes,
                                   Clock::time_point deadline, Passage* passage) {
  if (!IsUsersWork(method)) return std::nullopt;
  const Clock::time_point now = Clock::now();
  if (const Clock::duration wait = forecast_.Wait(now); wait > Clock::duration::zero()) {
    if (wait > (deadline - now) / kBacklogPart) return Refuse(ShedReason::kBacklog, wait);
  }
  const uint64_t bytes = request_bytes + kCallBytes;
  const Admission admission = shared_.budget.Take(operations, bytes);
  if (admission != Admission::kAdmitted) {
    const auto reason =
        admission == Admission::kNoBytes ? ShedReason::kBytes : ShedReason::kOperations;
    return Refuse(reason, shared_.shortage.Met(now));
  }
  forecast_.Started();
  *passage = Passage(this, operations, bytes);
  return std::nullopt;
}

std::optional<std::chrono::nanoseconds> DelayAfter(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kResourceExhausted) return std::nullopt;
  const v1::ErrorReason reason = ReasonOf(status);
  if (reason == v1::MEMORY_FULL || reason == v1::REQUEST_WINDOW_FULL || reason == v1::OVERLOADED) {
    return kLongDelay;
  }
  return std::nullopt;
}

}  // namespace ferrite
