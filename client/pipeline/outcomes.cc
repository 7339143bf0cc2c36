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
  why_given_up_ = "its answers could not be told apart";
  MutexLock lock(&mutex_);
  queue_.OnDistrusted();
  context_->TryCancel();
}

void PipelineStream::EndAnswered(PendingCall* call, const std::optional<FrameResult>& result) {
  CallVerdict verdict = VerdictOnResult(result, call);
  call->terms_.may_be_done |= verdict.may_be_done;
  if (verdict.patient && SaysLeaseLost(verdict.status)) router_.NoteCutOff(*node_);
  if (verdict.kind == CallVerdict::Kind::kSendAlone) return SendAlone(call);
  if (!TryAgain(call, &verdict)) Deliver(call, std::move(verdict.status));
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
  if (CouldNotConnect(status_)) router_.NoteUnreachable(*node_);
  for (PendingCall* call : remains.gone) delete call;
  for (PendingCall* call : remains.sent) EndLost(call, pushback, /*was_sent=*/true);
  for (PendingCall* call : remains.unsent) EndLost(call, pushback, /*was_sent=*/false);
  why_given_up_ = nullptr;
}

void PipelineStream::EndLost(PendingCall* call, const std::optional<std::string>& pushback,
                             bool was_sent) {
  // A server has no reason to end a stream with OK before its client does.
  const auto unavailable = [](const char* why) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, why);
  };
  const grpc::Status status = why_given_up_ != nullptr ? unavailable(why_given_up_)
                              : status_.ok()           ? unavailable("the server ended the stream")
                                                       : status_;
  const CallTerms& terms = call->terms();
  CallVerdict verdict = VerdictOnBrokenStream(ToAbslStatus(status, node_->address(), terms.timeout),
                                              was_sent, terms.repeatable, router_.HasChoice());
  verdict.pushback = pushback;
  call->terms_.may_be_done |= verdict.may_be_done;
  if (verdict.kind == CallVerdict::Kind::kSendAlone) return SendAlone(call);
  if (pushback.has_value()) SetRetryAfter(*pushback, &verdict.status);
  if (TryAgain(call, &verdict)) return;
  std::optional<CallQueue::EndReason> withdrawn;
  {
    MutexLock lock(&mutex_);
    withdrawn = queue_.Withdrawn(*call);
  }
  Deliver(call, withdrawn.has_value() ? StatusOf(*withdrawn, *call) : std::move(verdict.status));
}

bool PipelineStream::TryAgain(PendingCall* call, CallVerdict* verdict) {
  const std::optional<absl::Duration> delay = DelayAfter(call, verdict);
  if (!delay.has_value()) return false;
  const std::optional<CallQueue::EndReason> withdrawn = AddAgain(call, *delay);
  if (withdrawn.has_value()) verdict->status = StatusOf(*withdrawn, *call);
  return !withdrawn.has_value();
}

std::optional<absl::Duration> PipelineStream::DelayAfter(PendingCall* call, CallVerdict* verdict) {
  if (verdict->kind == CallVerdict::Kind::kDeliver) return std::nullopt;
  const FailedAttempt failed = {.attempts = ++call->attempts_,
                                .uncounted = call->uncounted_,
                                .repeatable = verdict->repeatable,
                                .code = verdict->status.code(),
                                .pushback = verdict->pushback,
                                .time_left = call->terms().TimeLeft(),
                                .patient = verdict->patient};
  const bool is_moved = verdict->kind == CallVerdict::Kind::kFollow;
  call->uncounted_ += is_moved || verdict->patient;
  if (!is_moved) return RetryDelay(call->terms().retry, failed, RandomChance());
  router_.NoteMoved(verdict->moved);
  return DelayAfterMove(verdict->moved, router_.KnownEpoch(), call->terms().retry, failed,
                        RandomChance(), &call->terms_.route, &verdict->status);
}

std::optional<CallQueue::EndReason> PipelineStream::AddAgain(PendingCall* call,
                                                             absl::Duration delay) {
  const bool leaves = router_.HasChoice();
  MutexLock lock(&mutex_);
  if (!queue_.AddAgain(call, absl::ToChronoNanoseconds(delay), leaves, Clock::now())) {
    return queue_.Withdrawn(*call);
  }
  SetAlarm();
  return std::nullopt;
}

void PipelineStream::Let(PendingCall* call) {
  Release(call);
  router_.Resend(std::unique_ptr<PendingCall>(call));
}

void PipelineStream::Release(PendingCall* call) {
  ++calls_ended_;
  if (call->terms().cancellation != nullptr) call->terms().cancellation->Remove(call);
}

void PipelineStream::SendAlone(PendingCall* call) {
  Release(call);
  call->SendAlone(&thread_);
  delete call;
}

void PipelineStream::Deliver(PendingCall* call, absl::Status status) {
  DeliverAndKeep(call, std::move(status));
  delete call;
}

void PipelineStream::DeliverAndKeep(PendingCall* call, absl::Status status) {
  Release(call);
  call->Deliver(call->terms().may_be_done ? AfterLostTry(status) : std::move(status));
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
    case CallQueue::EndReason::kLeaves:
      return ClientIsGone();
  }
  return ClientIsGone();
}

}  // namespace ferrite
