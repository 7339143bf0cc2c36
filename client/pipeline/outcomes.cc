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
  if (verdict.kind == CallVerdict::Kind::kFollow && FollowMove(call, &verdict)) return;
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
  if (CouldNotConnect(status_)) router_.NoteUnreachable(*node_);
  for (PendingCall* call : remains.gone) delete call;
  for (PendingCall* call : remains.sent) EndLost(call, pushback, /*was_sent=*/true);
  for (PendingCall* call : remains.unsent) EndLost(call, pushback, /*was_sent=*/false);
}

void PipelineStream::EndLost(PendingCall* call, const std::optional<std::string>& pushback,
                             bool was_sent) {
  // A server has no reason to end a stream with OK before its client does.
  const auto unavailable = [](const char* why) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, why);
  };
  const grpc::Status status = given_up_ ? unavailable("it has left the cache without an answer")
                              : status_.ok() ? unavailable("the server ended the stream")
                                             : status_;
  const CallTerms& terms = call->terms();
  CallVerdict verdict = VerdictOnBrokenStream(ToAbslStatus(status, node_->address(), terms.timeout),
                                              was_sent, terms.repeatable, router_.HasChoice());
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
                                .time_left = call->terms().TimeLeft(),
                                .patient = verdict.patient};
  const std::optional<absl::Duration> delay =
      RetryDelay(call->terms().retry, failed, RandomChance());
  return delay.has_value() && AddAgain(call, *delay);
}

bool PipelineStream::AddAgain(PendingCall* call, absl::Duration delay) {
  const bool leaves = router_.HasChoice();
  MutexLock lock(&mutex_);
  if (!queue_.AddAgain(call, absl::ToChronoNanoseconds(delay), leaves, Clock::now())) return false;
  SetAlarm();
  return true;
}

bool PipelineStream::FollowMove(PendingCall* call, CallVerdict* verdict) {
  router_.NoteMoved(verdict->moved);
  CallRoute& route = call->terms_.route;
  switch (Follow(verdict->moved, router_.KnownEpoch(), &route)) {
    case Move::kFollow: {
      const absl::Duration delay = FollowDelay(route, RandomChance());
      return delay < call->terms().TimeLeft() && AddAgain(call, delay);
    }
    case Move::kWait: {
      CallVerdict wait = {
          .status = absl::UnavailableError(""), .repeatable = true, .patient = true};
      return TryAgain(call, wait);
    }
    case Move::kTooOften:
      verdict->status = MovedTooOften(verdict->status);
      return false;
  }
  return false;
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
    case CallQueue::EndReason::kLeaves:
      return ClientIsGone();
  }
  return ClientIsGone();
}

}  // namespace ferrite
