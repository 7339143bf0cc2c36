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
    return End(NoAnswer(terms_.nodes->Place(terms_.route).node->address(), terms_.timeout));
  }
  if (terms_.pause <= absl::ZeroDuration()) return Try();
  if (!WaitForNextTry(terms_.pause)) End(*CancelledWith());
}

bool ClientCall::IsWorthSending() const {
  return !terms_.is_about_keys || place_.remote().acceptance().IsWorthSending(
                                      RandomChance(), std::chrono::steady_clock::now());
}

void ClientCall::NoteEnd(const grpc::Status& status, const absl::Status& outcome) {
  RemoteNode& node = place_.remote();
  const auto now = std::chrono::steady_clock::now();
  if (IsAnswer(status)) {
    node.silence().NoteAnswer(now);
  } else if (absl::IsDeadlineExceeded(outcome) && node.silence().NoteUnanswered(tried_at_, now)) {
    terms_.nodes->NoteSilent(node);
  }
  if (CouldNotConnect(status)) terms_.nodes->NoteUnreachable(node);
  if (SaysLeaseLost(outcome)) terms_.nodes->NoteCutOff(node);
  if (terms_.is_about_keys) NoteLoad(outcome);
}

void ClientCall::NoteLoad(const absl::Status& outcome) {
  const auto now = std::chrono::steady_clock::now();
  Acceptance& acceptance = place_.remote().acceptance();
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
  place_ = terms_.nodes->Place(terms_.route);
  if (!IsWorthSending()) {
    // What a node has said tells more than that it is not asked again.
    return End(last_outcome_.ok() ? HeldBack(place_.node->address()) : std::move(last_outcome_));
  }
  ++attempts_;
  tried_at_ = std::chrono::steady_clock::now();
  grpc::ClientContext* context;
  {
    MutexLock lock(&mutex_);
    context = &context_.emplace();
    context->set_deadline(ToGrpc(terms_.deadline));
    if (place_.direct) context->AddMetadata("ferrite-route", "direct");
    if (!terms_.traceparent.empty()) context->AddMetadata("traceparent", terms_.traceparent);
    if (cancelled_.has_value()) context->TryCancel();
  }
  StartTry(context, place_.remote().NextConnection(), thread_->queue());
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
  if (EndWait()) {
    return ok ? Try() : End(CancelledWith().value_or(ClientIsGone()));
  }
  const std::optional<grpc::Status> status = OnEvent(ok);
  if (status.has_value()) EndTry(*status);
}

void ClientCall::EndTry(const grpc::Status& status) {
  absl::Status outcome = ToAbslStatus(status, place_.node->address(), terms_.timeout);
  NoteEnd(status, outcome);
  if (status.ok()) return End(std::move(outcome));
  const std::optional<std::string> pushback = Pushback();
  const std::optional<absl::Duration> delay = DelayAfter(status, pushback, &outcome);
  if (pushback.has_value()) SetRetryAfter(*pushback, &outcome);
  terms_.may_be_done |= MayBeDone(outcome) && !CouldNotConnect(status);
  const bool is_moved = SlotErrorIn(outcome).kind == SlotError::Kind::kMoved;
  last_outcome_ = is_moved ? absl::OkStatus() : outcome;
  if (delay.has_value() && WaitForNextTry(*delay)) return;
  if (std::optional<absl::Status> cancelled = CancelledWith()) return End(*std::move(cancelled));
  const bool is_known = terms_.repeatable || IsAnswer(status) || CouldNotConnect(status);
  End(absl::IsUnavailable(outcome) && !is_known ? OutcomeUnknown(outcome) : std::move(outcome));
}

std::optional<std::string> ClientCall::Pushback() {
  MutexLock lock(&mutex_);
  return PushbackIn(*context_);
}

std::optional<absl::Duration> ClientCall::DelayAfter(const grpc::Status& status,
                                                     std::optional<std::string_view> pushback,
                                                     absl::Status* outcome) {
  NodeDirectory& nodes = *terms_.nodes;
  FailedAttempt failed = {.attempts = attempts_,
                          .uncounted = uncounted_,
                          .repeatable = terms_.repeatable || !MayBeDone(*outcome),
                          .code = outcome->code(),
                          .pushback = pushback,
                          .time_left = TimeLeft()};
  const SlotError slot = SlotErrorIn(*outcome);
  if (slot.kind == SlotError::Kind::kMoved) {
    ++uncounted_;
    nodes.NoteMoved(slot);
    return DelayAfterMove(slot, nodes.KnownEpoch(), terms_.retry, failed, RandomChance(),
                          &terms_.route, outcome);
  }
  const bool has_choice = nodes.HasChoiceFor(terms_.route);
  if (has_choice && CouldNotConnect(status)) {
    failed.repeatable = failed.patient = true;  // it was not sent, and others can be asked
  }
  const bool is_away = slot.kind == SlotError::Kind::kAway;
  failed.patient |= is_away || (has_choice && ReasonOf(*outcome) == "SHUTTING_DOWN");
  uncounted_ += failed.patient;
  return RetryDelay(terms_.retry, failed, RandomChance());
}

bool ClientCall::WaitForNextTry(absl::Duration delay) {
  MutexLock lock(&mutex_);
  if (cancelled_.has_value()) return false;
  waiting_ = true;
  HandOver();
  alarm_.Set(thread_->queue(), GrpcTimeIn(absl::ToChronoNanoseconds(delay)), this);
  return true;
}

bool ClientCall::EndWait() {
  MutexLock lock(&mutex_);
  return std::exchange(waiting_, false);
}

std::optional<absl::Status> ClientCall::CancelledWith() {
  MutexLock lock(&mutex_);
  return cancelled_;
}

void ClientCall::End(absl::Status status) {
  if (terms_.cancellation != nullptr) terms_.cancellation->Remove(this);
  Deliver(terms_.may_be_done ? AfterLostTry(status) : std::move(status));
  thread_->Remove(this);
  delete this;
}

}  // namespace ferrite
