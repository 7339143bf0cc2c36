// The part of PipelineStream that ends calls: those that were answered, and those that were lost
// with their stream. Runs on the completion thread.

#include <utility>

#include "absl/time/time.h"
#include "client/error.h"
#include "client/pipeline/pipeline_stream.h"
#include "client/pushback.h"
#include "client/reply_bytes.h"
#include "client/retry.h"

namespace ferrite {
namespace {

CallQueue::Duration PauseOf(const std::optional<std::string>& pushback) {
  if (!pushback.has_value()) return {};
  return absl::ToChronoNanoseconds(PushbackOf(*pushback).value_or(absl::ZeroDuration()));
}

}  // namespace

void PipelineStream::Answer(const Frame& frame, const grpc::ByteBuffer& reply) {
  const ReplyBytes bytes(reply);
  FrameResultReader results(bytes.view());
  for (PendingCall* call : frame) {
    const std::optional<FrameResult> result = results.Next();
    if (!result.has_value()) Distrust();
    if (call->is_gone()) {
      delete call;
    } else {
      EndAnswered(call, result);
    }
  }
}

void PipelineStream::Distrust() {
  MutexLock lock(&mutex_);
  queue_.OnDistrusted();
  context_->TryCancel();
}

void PipelineStream::EndAnswered(PendingCall* call, const std::optional<FrameResult>& result) {
  CallVerdict verdict = VerdictOnResult(result, call);
  if (verdict.kind == CallVerdict::Kind::kSendAlone) return SendAlone(call);
  if (verdict.kind == CallVerdict::Kind::kTryAgain && TryAgain(call, verdict)) return;
  Deliver(call, std::move(verdict.status));
}

void PipelineStream::EndStream() {
  const bool knows_frames = status_.error_code() != grpc::StatusCode::UNIMPLEMENTED;
  std::optional<std::string> pushback;
  CallQueue::Remains remains;
  {
    MutexLock lock(&mutex_);
    stream_.reset();  // lies in memory of the context, which the next stream replaces
    pushback = PushbackIn(*context_);
    remains = queue_.EndStream(knows_frames, PauseOf(pushback), Clock::now());
    SetAlarm();
  }
  if (!knows_frames) support_.NoteMissing();
  for (PendingCall* call : remains.gone) delete call;
  for (PendingCall* call : remains.sent) EndLost(call, pushback, /*was_sent=*/true);
  for (PendingCall* call : remains.unsent) EndLost(call, pushback, /*was_sent=*/false);
}

void PipelineStream::EndLost(PendingCall* call, const std::optional<std::string>& pushback,
                             bool was_sent) {
  // A server has no reason to end a stream with OK before its client does.
  const grpc::Status status =
      status_.ok() ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server ended the stream")
                   : status_;
  const CallTerms& terms = call->terms();
  CallVerdict verdict = VerdictOnBrokenStream(ToAbslStatus(status, node_->address(), terms.timeout),
                                              was_sent, terms.repeatable);
  verdict.pushback = pushback;
  if (verdict.kind == CallVerdict::Kind::kSendAlone) return SendAlone(call);
  if (TryAgain(call, verdict)) return;
  std::optional<CallQueue::EndReason> withdrawn;
  {
    MutexLock lock(&mutex_);
    withdrawn = queue_.Withdrawn(*call);
  }
  if (pushback.has_value()) SetRetryAfter(*pushback, &verdict.status);
  Deliver(call, withdrawn.has_value() ? StatusOf(*withdrawn, *call) : std::move(verdict.status));
}

bool PipelineStream::TryAgain(PendingCall* call, const CallVerdict& verdict) {
  const FailedAttempt failed = {.attempts = ++call->attempts_,
                                .repeatable = verdict.repeatable,
                                .code = verdict.status.code(),
                                .pushback = verdict.pushback,
                                .time_left = call->terms().TimeLeft()};
  const std::optional<absl::Duration> delay =
      RetryDelay(call->terms().retry, failed, RandomChance());
  if (!delay.has_value()) return false;
  MutexLock lock(&mutex_);
  if (!queue_.AddAgain(call, absl::ToChronoNanoseconds(*delay), Clock::now())) return false;
  SetAlarm();
  return true;
}

void PipelineStream::SendAlone(PendingCall* call) {
  ++calls_ended_;
  if (call->terms().cancellation != nullptr) call->terms().cancellation->Remove(call);
  call->SendAlone(&thread_, node_);
  delete call;
}

void PipelineStream::Deliver(PendingCall* call, absl::Status status) {
  DeliverAndKeep(call, std::move(status));
  delete call;
}

void PipelineStream::DeliverAndKeep(PendingCall* call, absl::Status status) {
  ++calls_ended_;
  if (call->terms().cancellation != nullptr) call->terms().cancellation->Remove(call);
  call->Deliver(std::move(status));
}

absl::Status PipelineStream::StatusOf(CallQueue::EndReason reason, const PendingCall& call) const {
  switch (reason) {
    case CallQueue::EndReason::kTooLate:
      return NoAnswer(node_->address(), call.terms().timeout);
    case CallQueue::EndReason::kHopeless:
      return hopeless_;
    case CallQueue::EndReason::kCancelled:
      return CancelledByCaller();
    case CallQueue::EndReason::kClientIsGone:
      return ClientIsGone();
  }
  return ClientIsGone();
}

}  // namespace ferrite
