#include "client/client_call.h"

#include <string_view>
#include <utility>

#include "client/error.h"
#include "client/pushback.h"
#include "client/steady_time.h"

namespace ferrite {

ClientCall::ClientCall(CompletionThread* thread, CallTerms terms)
    : thread_(thread), terms_(std::move(terms)) {}

void ClientCall::Start() {
  if (!thread_->Add(this)) {
    Deliver(ClientIsGone());
    delete this;
    return;
  }
  if (terms_.cancellation != nullptr) {
    terms_.cancellation->Add(this);
    if (std::optional<absl::Status> cancelled = CancelledWith()) return End(*std::move(cancelled));
  }
  // gRPC may still answer a call whose deadline has already passed.
  if (TimeLeft() <= absl::ZeroDuration()) {
    return End(NoAnswer(terms_.node->address(), terms_.timeout));
  }
  Try();
}

bool ClientCall::IsWorthSending() const {
  return !terms_.is_about_keys ||
         terms_.node->acceptance().IsWorthSending(RandomChance(), std::chrono::steady_clock::now());
}

void ClientCall::NoteEnd(const absl::Status& outcome) {
  if (!terms_.is_about_keys) return;
  const auto now = std::chrono::steady_clock::now();
  Acceptance& acceptance = terms_.node->acceptance();
  switch (outcome.code()) {
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnavailable:
      return;  // says nothing of its load
    case absl::StatusCode::kDeadlineExceeded:
      return acceptance.Expired(now);
    case absl::StatusCode::kResourceExhausted:
      if (ReasonOf(outcome) == "OVERLOADED") return acceptance.Refused(now);
      [[fallthrough]];
    default:
      return acceptance.Accepted(now);
  }
}

void ClientCall::Try() {
  // What the node has said tells more than that it is not asked again.
  if (!IsWorthSending())
    return End(attempts_ == 0 ? HeldBack(terms_.node->address()) : std::move(last_outcome_));
  ++attempts_;
  grpc::ClientContext* context;
  {
    MutexLock lock(&mutex_);
    context = &context_.emplace();
    context->set_deadline(ToGrpc(terms_.deadline));
    if (!terms_.traceparent.empty()) context->AddMetadata("traceparent", terms_.traceparent);
    if (cancelled_.has_value()) context->TryCancel();
  }
  StartTry(context, terms_.node->NextConnection(), thread_->queue());
}

void ClientCall::Cancel() { Cancel(ClientIsGone()); }

void ClientCall::CancelByCaller() { Cancel(ferrite::CancelledByCaller()); }

void ClientCall::Cancel(absl::Status status) {
  MutexLock lock(&mutex_);
  if (!cancelled_.has_value()) cancelled_ = std::move(status);
  // At most one of the two is pending; neither minds being cancelled when it is not.
  alarm_.Cancel();
  if (context_.has_value()) context_->TryCancel();
}

void ClientCall::Proceed(bool ok) {
  if (waiting_) {
    waiting_ = false;
    return ok ? Try() : End(CancelledWith().value_or(ClientIsGone()));
  }
  const std::optional<grpc::Status> status = OnEvent(ok);
  if (status.has_value()) EndTry(*status);
}

void ClientCall::EndTry(const grpc::Status& status) {
  absl::Status outcome = ToAbslStatus(status, terms_.node->address(), terms_.timeout);
  NoteEnd(outcome);
  if (status.ok()) return End(std::move(outcome));
  const std::optional<std::string> pushback = Pushback();
  const std::optional<absl::Duration> delay = DelayAfter(status, pushback);
  if (pushback.has_value()) SetRetryAfter(*pushback, &outcome);
  last_outcome_ = outcome;
  if (delay.has_value() && WaitForNextTry(*delay)) return;
  if (std::optional<absl::Status> cancelled = CancelledWith()) return End(*std::move(cancelled));
  End(std::move(outcome));
}

std::optional<std::string> ClientCall::Pushback() {
  MutexLock lock(&mutex_);
  return PushbackIn(*context_);
}

std::optional<absl::Duration> ClientCall::DelayAfter(const grpc::Status& status,
                                                     std::optional<std::string_view> pushback) {
  const FailedAttempt failed = {.attempts = attempts_,
                                .repeatable = terms_.repeatable,
                                .code = static_cast<absl::StatusCode>(status.error_code()),
                                .pushback = pushback,
                                .time_left = TimeLeft()};
  return RetryDelay(terms_.retry, failed, RandomChance());
}

bool ClientCall::WaitForNextTry(absl::Duration delay) {
  MutexLock lock(&mutex_);
  if (cancelled_.has_value()) return false;
  waiting_ = true;
  alarm_.Set(thread_->queue(), GrpcTimeIn(absl::ToChronoNanoseconds(delay)), this);
  return true;
}

std::optional<absl::Status> ClientCall::CancelledWith() {
  MutexLock lock(&mutex_);
  return cancelled_;
}

void ClientCall::End(absl::Status status) {
  if (terms_.cancellation != nullptr) terms_.cancellation->Remove(this);
  Deliver(std::move(status));
  thread_->Remove(this);
  delete this;
}

}  // namespace ferrite
