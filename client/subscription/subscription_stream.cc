#include "client/subscription/subscription_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/client_call.h"
#include "client/error.h"
#include "client/pushback.h"
#include "client/retry.h"
#include "client/steady_time.h"
#include "client/subscription/reconnection.h"

namespace ferrite {
namespace {

// From cache.proto.
constexpr int64_t kDefaultHeartbeatMs = 10'000;
constexpr int64_t kMinHeartbeatMs = 100;
constexpr int64_t kMaxHeartbeatMs = 3'600'000;
constexpr int kHeartbeatsMissed = 3;

std::chrono::milliseconds LongestSilence(const v1::SubscribeRequest& request) {
  const int64_t heartbeat_ms =
      request.has_heartbeat_ms() ? request.heartbeat_ms() : kDefaultHeartbeatMs;
  return std::chrono::milliseconds(std::clamp(heartbeat_ms, kMinHeartbeatMs, kMaxHeartbeatMs) *
                                   kHeartbeatsMissed);
}

}  // namespace

std::shared_ptr<SubscriptionStream> SubscriptionStream::Start(
    CompletionThread* thread, NodeDirectory* nodes, const RetryPolicy& retry,
    v1::SubscribeRequest request, std::shared_ptr<EventReceiver> receiver) {
  std::shared_ptr<SubscriptionStream> stream(
      new SubscriptionStream(thread, nodes, retry, std::move(request), std::move(receiver)));
  if (!thread->Add(stream.get())) {
    stream->receiver_->End(ClientIsGone());
    stream->over_.store(true);
    return stream;
  }
  stream->self_ = stream;
  MutexLock lock(&stream->mutex_);
  thread->HandOver();
  stream->alarm_.Set(thread->queue(), ToGrpc(Clock::now()), stream.get());
  return stream;
}

SubscriptionStream::SubscriptionStream(CompletionThread* thread, NodeDirectory* nodes,
                                       const RetryPolicy& retry, v1::SubscribeRequest request,
                                       std::shared_ptr<EventReceiver> receiver)
    : thread_(*thread),
      nodes_(*nodes),
      retry_(retry),
      longest_silence_(LongestSilence(request)),
      receiver_(std::move(receiver)),
      request_(std::move(request)) {}

void SubscriptionStream::Proceed(bool ok) {
  switch (step_) {
    case Step::kOpen:
      return Open();
    case Step::kStart:
      return ok ? Read() : Finish();
    case Step::kRead:
      return ok ? HandOnEvents() : Finish();
    case Step::kReadOn:
      return Read();  // which fails at once if the stream was cancelled meanwhile
    case Step::kFinish:
      return OnBroken();
  }
}

void SubscriptionStream::Open() {
  grpc::ClientContext* context = nullptr;
  {
    MutexLock lock(&mutex_);
    if (!cancelled_.has_value()) context = &context_.emplace();
  }
  if (context == nullptr) return End(*CancelledWith());
  // After a failure another node may do better.
  node_ = nodes_.PlaceAnywhere(failures_ > 0 ? node_.get() : nullptr).node->shared_remote();
  silent_ = false;
  awaited_since_ = Clock::now();
  if (!silence_alarm_set_) SetSilenceAlarm(awaited_since_ + longest_silence_);
  step_ = Step::kStart;
  reader_ = node_->NextConnection().cache.PrepareAsyncSubscribe(context, request_, thread_.queue());
  reader_->StartCall(this);
}

void SubscriptionStream::Read() {
  step_ = Step::kRead;
  awaited_since_ = Clock::now();
  reader_->Read(&message_, this);
}

void SubscriptionStream::HandOnEvents() {
  failures_ = 0;
  for (v1::SubscriptionEvent& event : *message_.mutable_events()) {
    if (CancelledWith().has_value()) break;  // perhaps by the callback of the previous event
    request_.set_resume_token(event.resume_token());
    receiver_->Receive(std::move(event));
  }
  message_.Clear();
  if (!Pause()) Read();
}

bool SubscriptionStream::Pause() {
  MutexLock lock(&mutex_);
  if (cancelled_.has_value() || receiver_->HasRoom()) return false;
  step_ = Step::kReadOn;
  paused_ = true;
  return true;
}

void SubscriptionStream::ReadOn() {
  MutexLock lock(&mutex_);
  if (!std::exchange(paused_, false)) return;
  thread_.HandOver();
  alarm_.Set(thread_.queue(), ToGrpc(Clock::now()), this);
}

void SubscriptionStream::Finish() {
  step_ = Step::kFinish;
  reader_->Finish(&status_, this);
}

void SubscriptionStream::OnBroken() {
  reader_.reset();  // lies in memory of the context, which the next stream replaces
  if (std::optional<absl::Status> cancelled = CancelledWith()) return End(*std::move(cancelled));
  if (CouldNotConnect(status_)) nodes_.NoteUnreachable(*node_);
  if (silent_) nodes_.NoteSilent(*node_);
  absl::Status why = WhyBroken();
  const std::optional<absl::Duration> delay =
      ReconnectionDelay(retry_, ++failures_, why, Pushback(), RandomChance());
  if (!delay.has_value()) return End(std::move(why));
  receiver_->Lose(why);
  if (!SetAlarm(Step::kOpen, *delay)) End(*CancelledWith());
}

absl::Status SubscriptionStream::WhyBroken() const {
  const absl::Duration silence = absl::FromChrono(longest_silence_);
  if (silent_) {
    return absl::UnavailableError(absl::StrCat(node_->address(), " has been silent for ",
                                               absl::FormatDuration(silence),
                                               ", without a heartbeat"));
  }
  if (status_.ok()) {
    return absl::UnavailableError(absl::StrCat(node_->address(), " ended the stream"));
  }
  return ToAbslStatus(status_, node_->address(), silence);
}

std::optional<std::string> SubscriptionStream::Pushback() {
  MutexLock lock(&mutex_);
  return PushbackIn(*context_);
}

bool SubscriptionStream::SetAlarm(Step step, absl::Duration delay) {
  MutexLock lock(&mutex_);
  if (cancelled_.has_value()) return false;
  step_ = step;
  alarm_.Set(thread_.queue(), GrpcTimeIn(absl::ToChronoNanoseconds(delay)), this);
  return true;
}

void SubscriptionStream::SetSilenceAlarm(Clock::time_point time) {
  silence_alarm_set_ = true;
  silence_alarm_.Set(thread_.queue(), ToGrpc(time), &silence_tag_);
}

void SubscriptionStream::OnSilenceAlarm() {
  silence_alarm_set_ = false;
  if (end_.has_value()) return Leave();
  const Clock::time_point now = Clock::now();
  const bool awaited = step_ == Step::kStart || step_ == Step::kRead;
  if (!awaited || silent_) return SetSilenceAlarm(now + longest_silence_);
  if (now < awaited_since_ + longest_silence_) {
    return SetSilenceAlarm(awaited_since_ + longest_silence_);
  }
  silent_ = true;
  {
    MutexLock lock(&mutex_);
    context_->TryCancel();
  }
  SetSilenceAlarm(now + longest_silence_);
}

void SubscriptionStream::End(absl::Status why) {
  end_ = std::move(why);
  if (silence_alarm_set_) {
    silence_alarm_.Cancel();  // OnSilenceAlarm leaves
  } else {
    Leave();
  }
}

void SubscriptionStream::Leave() {
  const std::shared_ptr<SubscriptionStream> self = std::move(self_);
  receiver_->End(*end_);
  {
    MutexLock lock(&mutex_);
    context_.reset();  // the subscription may outlive the client
  }
  thread_.Remove(this);
  over_.store(true);
  over_.notify_all();
}

void SubscriptionStream::Cancel() { Cancel(ClientIsGone()); }

void SubscriptionStream::CancelByOwner() { Cancel(CancelledByCaller()); }

void SubscriptionStream::Cancel(absl::Status why) {
  MutexLock lock(&mutex_);
  if (cancelled_.has_value()) return;
  cancelled_ = std::move(why);
  // At most one of the three is pending; cancelling the others has no effect.
  alarm_.Cancel();
  if (context_.has_value()) context_->TryCancel();
  if (std::exchange(paused_, false)) {
    thread_.HandOver();
    alarm_.Set(thread_.queue(), ToGrpc(Clock::now()), this);
  }
}

std::optional<absl::Status> SubscriptionStream::CancelledWith() {
  MutexLock lock(&mutex_);
  return cancelled_;
}

}  // namespace ferrite
