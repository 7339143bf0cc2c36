#include "server/admission/gate.h"

#include <string>

#include "absl/strings/numbers.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

// Memory comes free when entries expire or are deleted, the request window in the course of a
// minute, and room for a subscription when another ends: not in a moment.
constexpr auto kLongDelay = std::chrono::milliseconds(500);

// A slot that changes its owner is without one for about as long as etcd takes for two writes. A
// quota comes anew all the time.
constexpr auto kHandOverDelay = std::chrono::milliseconds(50);

// What is in progress on one connection leaves it together, so a call may be out well after those
// before it would have been. And the time that a call has spent in a socket is not known here.
constexpr int kBacklogPart = 4;

absl::Status Overloaded(const std::string& text) {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, text);
}

absl::Status ShareTaken(const InflightLimits& limits) {
  const std::string percent = std::to_string(limits.connection_percent);
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "this connection holds as much of the work in progress as it may, " + percent +
                       "% of all or, where others hold some, as much in proportion to what is free "
                       "(--connection-share); read the replies, or come again later",
                   {{"limit", percent}});
}

absl::Status Overloaded(const std::string& text, const char* flag, uint64_t limit) {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   text + ", " + std::to_string(limit) + " (" + flag + ")",
                   {{"limit", std::to_string(limit)}});
}

// A guess.
std::optional<std::chrono::nanoseconds> DelayAfter(v1::ErrorReason reason) {
  switch (reason) {
    case v1::MEMORY_FULL:
    case v1::REQUEST_WINDOW_FULL:
    case v1::OVERLOADED:
      return kLongDelay;
    case v1::QUOTA_EXCEEDED:
    case v1::SLOT_IN_TRANSITION:
    case v1::SLOT_UNOWNED:
      return kHandOverDelay;
    default:
      return std::nullopt;
  }
}

}  // namespace

Admissions::Admissions(const InflightLimits& limits, const StreamLimits& streams)
    : budget(limits),
      places(streams),
      no_operations(Overloaded("as many operations are in progress as may be",
                               "--max-inflight-operations", limits.operations)),
      no_bytes(Overloaded("requests and replies in progress take as many bytes as they may",
                          "--max-inflight-bytes", limits.bytes)),
      no_bytes_for_reply(Overloaded("the reply is large, and requests and replies in progress take "
                                    "most of the bytes that they "
                                    "may",
                                    "--max-inflight-bytes", limits.bytes)),
      share_taken(ShareTaken(limits)),
      no_time(Overloaded(
          "the work in progress would not leave this call enough time before its deadline")) {}

Passage& Passage::operator=(Passage&& other) noexcept {
  if (this == &other) return *this;
  End();
  gate_ = std::exchange(other.gate_, nullptr);
  share_ = other.share_;
  operations_ = other.operations_;
  bytes_ = other.bytes_;
  reply_bytes_ = other.reply_bytes_;
  waiting_ = other.waiting_;
  return *this;
}

void Passage::HoldReply(uint64_t bytes) {
  if (gate_ == nullptr) return;
  gate_->shared_.budget.Exchange(share_, reply_bytes_, bytes);
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
  gate_->shared_.budget.GiveBack(share_, operations_, bytes_);
  gate_->forecast_.Answered();
  gate_ = nullptr;
}

std::optional<Refusal> Gate::Admit(Method method, InflightBudget::Share* share, uint64_t operations,
                                   uint64_t request_bytes, Clock::time_point deadline,
                                   Passage* passage) {
  if (!IsUsersWork(method)) return std::nullopt;
  const Clock::time_point now = Clock::now();
  if (const Clock::duration wait = forecast_.Wait(now); wait > Clock::duration::zero()) {
    if (wait > (deadline - now) / kBacklogPart)
      return Refusal{ShedReason::kBacklog, wait, shared_.no_time};
  }
  const uint64_t bytes = request_bytes + kCallBytes;
  switch (shared_.budget.Take(share, operations, bytes)) {
    case Admission::kAdmitted:
      break;
    case Admission::kNoBytes:
      return Refusal{ShedReason::kBytes, shared_.shortage.Met(now), shared_.no_bytes};
    case Admission::kNoOperations:
      return Refusal{ShedReason::kOperations, shared_.shortage.Met(now), shared_.no_operations};
    case Admission::kShareTaken:
      return Refusal{ShedReason::kConnectionShare, shared_.share_shortage.Met(now),
                     shared_.share_taken};
  }
  forecast_.Started();
  *passage = Passage(this, share, operations, bytes);
  return std::nullopt;
}

std::optional<Refusal> Gate::AdmitReply(const InflightBudget::Share& share, uint64_t bytes,
                                        uint64_t uncounted) {
  if (shared_.budget.AllowsReply(share, bytes, uncounted)) return std::nullopt;
  return Refusal{ShedReason::kBytes, shared_.shortage.Met(Clock::now()),
                 shared_.no_bytes_for_reply};
}

std::optional<std::chrono::milliseconds> PushbackAfter(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kResourceExhausted &&
      status.code() != absl::StatusCode::kUnavailable) {
    return std::nullopt;
  }
  const v1::ErrorReason reason = ReasonOf(status);
  if (reason == v1::REQUEST_WINDOW_FULL) {
    const google::rpc::ErrorInfo info = ErrorInfoOf(status);
    const auto said = info.metadata().find(kRetryAfterFact);
    int64_t ms = 0;
    if (said != info.metadata().end() && absl::SimpleAtoi(said->second, &ms))
      return std::chrono::milliseconds(ms);
  }
  const auto delay = DelayAfter(reason);
  if (!delay.has_value()) return std::nullopt;
  return RandomPushback(*delay);
}

}  // namespace ferrite
