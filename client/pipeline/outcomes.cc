// The part of PipelineStream that decides what becomes of calls: answered, lost with their stream,
// too late. Runs on the completion thread.

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/error.h"
#include "client/pipeline/pipeline_stream.h"
#include "client/reply_bytes.h"

namespace ferrite {
namespace {

absl::Status NoSuchAnswer() {
  return absl::InternalError("the server answered an operation of a frame with something else");
}

// However long a server asks its clients to stay away, it may be replaced by another.
constexpr std::chrono::milliseconds kLongestPause = std::chrono::minutes(1);

// Whether a stream that ended thus executed none of the frames that have no reply.
bool IsRefusal(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  return reason == "SHUTTING_DOWN" || reason == "OVERLOADED" || reason == "MALFORMED";
}

// The failure of a call that was sent and has no answer.
absl::Status OutcomeUnknown(const absl::Status& status) {
  absl::Status unknown(
      status.code(),
      absl::StrCat(status.message(), "; whether the call was carried out is not known"));
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    unknown.SetPayload(type_url, payload);
  });
  return unknown;
}

}  // namespace

void PipelineStream::End(PendingCall* call, absl::Status status) {
  ++calls_ended_;
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Remove(call);
  call->Deliver(std::move(status));
}

void PipelineStream::SendAlone(PendingCall* call) {
  ++calls_ended_;
  if (call->terms_.cancellation != nullptr) call->terms_.cancellation->Remove(call);
  call->SendAlone(&thread_, node_);
  delete call;
}

absl::Status PipelineStream::TooLate(const PendingCall& call) const {
  const grpc::Status too_late(grpc::StatusCode::DEADLINE_EXCEEDED, "");
  return ToAbslStatus(too_late, node_->address(), call.terms_.timeout);
}

void PipelineStream::Answer(const Frame& frame, const grpc::ByteBuffer& reply) {
  const ReplyBytes bytes(reply);
  FrameResultReader results(bytes.view());
  for (PendingCall* call : frame) {
    const std::optional<FrameResult> outcome = results.Next();
    if (!outcome.has_value()) Distrust();
    if (call->place_ == Place::kGone) {
      delete call;
    } else if (!outcome.has_value()) {
      End(call, NoSuchAnswer());
      delete call;
    } else if (outcome->field == call->field()) {
      End(call, call->ParseResponse(outcome->message) ? absl::OkStatus() : NoSuchAnswer());
      delete call;
    } else {
      AnswerWithError(call, *outcome);
    }
  }
}

void PipelineStream::Distrust() {
  MutexLock lock(&mutex_);
  distrusted_ = true;
  state_ = State::kEnding;
  context_->TryCancel();
}

void PipelineStream::AnswerWithError(PendingCall* call, const FrameResult& outcome) {
  v1::OperationError error;
  const auto size = static_cast<int>(outcome.message.size());
  if (outcome.field != v1::OperationResult::kErrorFieldNumber ||
      !error.ParseFromArray(outcome.message.data(), size)) {
    End(call, NoSuchAnswer());
    delete call;
    return;
  }
  // Other operations of its frame left no room for its answer; it was not executed.
  if (error.reason() == v1::ERROR_REASON_REPLY_TOO_LARGE) return SendAlone(call);
  const auto code = static_cast<absl::StatusCode>(error.code());
  if (TryAgain(call, code, std::nullopt, call->terms_.repeatable)) return;
  End(call, ToAbslStatus(error));
  delete call;
}

bool PipelineStream::TryAgain(PendingCall* call, absl::StatusCode code,
                              std::optional<std::string_view> pushback, bool repeatable) {
  const FailedAttempt failed = {.attempts = ++call->attempts_,
                                .repeatable = repeatable,
                                .code = code,
                                .pushback = pushback,
                                .time_left = call->terms_.TimeLeft()};
  const std::optional<absl::Duration> delay =
      RetryDelay(call->terms_.retry, failed, RandomChance());
  if (!delay.has_value()) return false;
  const Clock::time_point now = Clock::now();
  MutexLock lock(&mutex_);
  if (closing_ || call->cancelled_) return false;
  call->place_ = Place::kWaiting;
  AddDeadline(call, now + absl::ToChronoNanoseconds(*delay), now);
  return true;
}

void PipelineStream::Pause(const std::optional<std::string>& pushback) {
  int64_t pushback_ms;
  if (!pushback.has_value() || !absl::SimpleAtoi(*pushback, &pushback_ms) || pushback_ms <= 0)
    return;
  const Clock::time_point now = Clock::now();
  opens_at_ = now + std::min(std::chrono::milliseconds(pushback_ms), kLongestPause);
  SetAlarm(now);  // for its end
}

void PipelineStream::EndStream(const grpc::Status& status) {
  std::vector<PendingCall*> sent;
  std::vector<PendingCall*> unsent;
  std::optional<std::string> pushback;
  const bool unknown_method = status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
  {
    MutexLock lock(&mutex_);
    stream_.reset();  // lies in memory of the context, which the next stream replaces
    const auto& metadata = context_->GetServerTrailingMetadata();
    const auto found = metadata.find("grpc-retry-pushback-ms");
    if (found != metadata.end()) pushback.emplace(found->second.data(), found->second.size());
    if (!closing_) Pause(pushback);
    for (const Frame& frame : std::exchange(unanswered_, {})) {
      for (PendingCall* call : frame) {
        if (call->place_ == Place::kGone) {
          delete call;
        } else {
          sent.push_back(call);
        }
      }
    }
    in_frames_ = 0;
    while (queued_ > 0 && (!came_about_ || unknown_method)) unsent.push_back(TakeQueued());
    for (const auto* calls : {&sent, &unsent}) {
      for (PendingCall* call : *calls) {
        deadlines_.Remove(call);
        call->place_ = Place::kAnswered;
      }
    }
    state_ = State::kNone;
  }
  if (unknown_method) support_.NoteMissing();
  for (PendingCall* call : sent) {
    unknown_method ? SendAlone(call) : Lose(call, status, pushback, /*was_sent=*/true);
  }
  for (PendingCall* call : unsent) {
    unknown_method ? SendAlone(call) : Lose(call, status, pushback, /*was_sent=*/false);
  }
}

void PipelineStream::Lose(PendingCall* call, const grpc::Status& stream_status,
                          const std::optional<std::string>& pushback, bool was_sent) {
  // A server has no reason to end a stream well before its client does.
  const grpc::Status status = stream_status.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE,
                                                                "the server ended the stream")
                                                 : stream_status;
  absl::Status outcome = ToAbslStatus(status, node_->address(), call->terms_.timeout);
  const bool not_executed = was_sent && IsRefusal(outcome);
  const bool repeatable = call->terms_.repeatable || not_executed;
  if (TryAgain(call, outcome.code(), pushback, repeatable)) return;
  if (was_sent && !repeatable) outcome = OutcomeUnknown(outcome);
  End(call, CancelledWith(*call).value_or(std::move(outcome)));
  delete call;
}

std::optional<absl::Status> PipelineStream::CancelledWith(const PendingCall& call) {
  MutexLock lock(&mutex_);
  if (closing_) return ClientIsGone();
  if (call.cancelled_) return CancelledByCaller();
  return std::nullopt;
}

}  // namespace ferrite
