#include "server/admission/gate.h"

#include "server/metrics/thread_counters.h"
#include "server/status.h"

namespace ferrite {
namespace {

// Memory comes free when entries expire or are deleted, the request window in the course of a
// minute, and room for a subscription when another ends: not in a moment.
constexpr auto kLongPushback = std::chrono::milliseconds(500);

// What is in progress on one connection leaves it together, so a call may be out well after those
// before it would have been. And the time that a call has spent in a socket is not known here.
constexpr int kBacklogPart = 4;

// Made once: a refusal is to cost next to nothing.
const grpc::Status& Overloaded(ShedReason reason) {
  constexpr auto make = [](const char* text) {
    return MakeError(grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_REASON_OVERLOADED, text);
  };
  static const grpc::Status operations =
      make("as many operations are in progress as may be (--max-inflight-operations)");
  static const grpc::Status bytes = make(
      "requests and replies in progress take as much memory as they may (--max-inflight-bytes)");
  static const grpc::Status backlog =
      make("the work in progress would not leave this call enough time before its deadline");
  if (reason == ShedReason::kOperations) return operations;
  return reason == ShedReason::kBytes ? bytes : backlog;
}

grpc::Status Refuse(ShedReason reason, std::chrono::nanoseconds delay,
                    grpc::ServerContext* context) {
  ThreadCounters::Current().Count(reason);
  AddPushback(delay, context);
  return Overloaded(reason);
}

}  // namespace

Passage& Passage::operator=(Passage&& other) noexcept {
  if (this == &other) return *this;
  End();
  gate_ = std::exchange(other.gate_, nullptr);
  operations_ = other.operations_;
  bytes_ = other.bytes_;
  reply_bytes_ = other.reply_bytes_;
  return *this;
}

void Passage::HoldReply(uint64_t bytes) {
  if (gate_ == nullptr) return;
  gate_->shared_.budget.Exchange(reply_bytes_, bytes);
  bytes_ += bytes - reply_bytes_;
  reply_bytes_ = bytes;
}

void Passage::End() {
  if (gate_ == nullptr) return;
  gate_->shared_.budget.GiveBack(operations_, bytes_);
  gate_->forecast_.Answered();
  gate_ = nullptr;
}

grpc::Status Gate::Admit(Method method, uint64_t operations, uint64_t request_bytes,
                         grpc::ServerContext* context, Passage* passage) {
  if (kMethodNames[static_cast<size_t>(method)].service == kAdminService) return grpc::Status::OK;
  const Clock::time_point now = Clock::now();
  if (const Clock::duration wait = forecast_.Wait(now); wait > Clock::duration::zero()) {
    const auto left = context->deadline() - std::chrono::system_clock::now();
    if (wait > left / kBacklogPart) return Refuse(ShedReason::kBacklog, wait, context);
  }
  const uint64_t bytes = request_bytes + kCallBytes;
  const Admission admission = shared_.budget.Take(operations, bytes);
  if (admission != Admission::kAdmitted) {
    const auto reason =
        admission == Admission::kNoBytes ? ShedReason::kBytes : ShedReason::kOperations;
    return Refuse(reason, shared_.shortage.Met(now), context);
  }
  forecast_.Started();
  *passage = Passage(this, operations, bytes);
  return grpc::Status::OK;
}

void Gate::Explain(const grpc::Status& status, grpc::ServerContext* context) {
  if (status.error_code() != grpc::StatusCode::RESOURCE_EXHAUSTED) return;
  const v1::ErrorReason reason = ToOperationError(status).reason();
  if (reason == v1::ERROR_REASON_MEMORY_FULL || reason == v1::ERROR_REASON_REQUEST_WINDOW_FULL ||
      reason == v1::ERROR_REASON_OVERLOADED) {
    AddPushback(kLongPushback, context);
  }
}

}  // namespace ferrite
