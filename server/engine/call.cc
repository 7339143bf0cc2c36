#include "server/engine/call.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "server/call/status.h"
#include "server/engine/server_timing.h"
#include "server/slowlog/slow_call_entry.h"

namespace ferrite {
namespace {

using Next = Answer::Next;

// Each made once: under overload there are many, and each is to cost next to nothing.
const absl::Status& PassedBeforeBegin() {
  static const absl::Status passed =
      MakeError(absl::StatusCode::kDeadlineExceeded, v1::DEADLINE_PASSED,
                "the deadline had passed before the call was taken up; nothing was done");
  return passed;
}
const absl::Status& PassedWhileWaiting() {
  static const absl::Status passed =
      MakeError(absl::StatusCode::kDeadlineExceeded, v1::DEADLINE_PASSED,
                "the deadline passed before the call was done");
  return passed;
}

absl::Status EndedByShutdown() {
  return MakeError(absl::StatusCode::kUnavailable, v1::SHUTTING_DOWN,
                   "the server shuts down, and the call was not done in time (--shutdown-grace); "
                   "it may have been done in part",
                   {{"executed", "unknown"}});
}

constexpr char kPushback[] = "grpc-retry-pushback-ms";

void AddPushback(std::chrono::nanoseconds delay, CallEnd* end) {
  end->trailers.emplace_back(kPushback, std::to_string(RandomPushback(delay).count()));
}

// Says when to come again after an error, if that is to help.
void AddPushbackAfter(const absl::Status& status, CallEnd* end) {
  if (!end->trailers.empty()) return;
  if (const auto pushback = PushbackAfter(status); pushback.has_value()) {
    end->trailers.emplace_back(kPushback, std::to_string(pushback->count()));
    return;
  }
  // Never: clients may be configured to repeat whatever failed with this status.
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    end->trailers.emplace_back(kPushback, "-1");
  }
}

}  // namespace

Call::~Call() { ForgetTarget(); }

void Call::Begin() {
  begun_ = true;
  meter_.emplace(rpc_.method);
  thread_.Add(this);
  if (thread_.closed()) return ReleaseIfOver();
  if (gone_) {
    transport_.TakeNext();
    return ReleaseIfOver();
  }
  if (rpc_.shape == Shape::kFrames) return BeginFrames();
  received_ = 1;
  TakeTurn();
}

void Call::AddPushbackIfAny() { AddPushbackAfter(end_.status, &end_); }

void Call::Open() {
  if (rpc_.shape == Shape::kUnary || std::exchange(opened_, true)) return;
  opening_ = true;
  transport_.StartOpening();
}

void Call::OnOpened() {
  opening_ = false;
  ReleaseIfOver();
}

void Call::OnRead(bool ok) {
  reading_ = false;
  received_at_ = Clock::now() - std::chrono::nanoseconds(thread_.wait()->bound_ns());
  has_frame_ = ok;
  ended_ = !ok;
  received_ += ok;
  if (ok && (writing_ || answer_ != nullptr)) AdmitAhead();
  AdvanceFrames();
}

void Call::OnWritten(bool ok) {
  thread_.wait()->Passed(mark_);
  thread_.departures()->Out(&departure_);
  writing_ = false;
  sent_ += ok;
  if (rpc_.shape == Shape::kFrames) {
    passage_.End();
    broken_ = !ok;
    if (ok && !later_frames_.empty()) TakeUpLaterFrame();
    return AdvanceFrames();
  }
  // A message that could not be sent means that the client is gone, which OnGone tells.
  if (!ok) StopWaiting();
  if (answer_ != nullptr) answer_->Sent();
  Advance();
}

void Call::OnFinished() {
  thread_.wait()->Passed(mark_);
  thread_.departures()->Out(&departure_);
  passage_.End();
  state_ = State::kFinished;
  ReleaseIfOver();
}

void Call::OnGone() {
  gone_ = true;
  later_frames_.clear();
  StopWaiting();
  ReleaseIfOver();
}

void Call::OnStalled() {
  ThreadCounters::Current().CountStalledReply();
  transport_.Cancel();
}

void Call::Drain() {
  if (rpc_.shape == Shape::kFrames) return AdvanceFrames();
  if (rpc_.shape == Shape::kFeed) Advance();
}

void Call::EndWait() {
  if (answer_ == nullptr || writing_ || state_ != State::kOpen || gone_) return;
  end_.status = EndedByShutdown();
  Finish();
}

void Call::TakeTurn() {
  const bool first = rpc_.shape != Shape::kFrames;
  const CallStep step(thread_.wait(), meter_->counters(),
                      first ? meter_->begin() : CallStep::Clock::now());
  turn_times_ = {};
  end_ = {};
  Next next = Next::kEnd;
  ReplyWriter* const reply = thread_.reply();
  if (ahead_.has_value()) {
    end_ = std::move(*ahead_);
    ahead_.reset();
    passage_ = std::move(passage_ahead_);
    passage_.Resume();
  } else {
    end_.status = Admit();
  }
  if (end_.status.ok()) {
    if (first) received_at_ = meter_->begin();
    reply->ChargeBlocksTo(share_);
    Turn turn(transport_.request(), received_at_, transport_, reply, this);
    end_.status = rpc_.handler(&turn);
    if (end_.status.ok()) answer_ = turn.TakeAnswer();
    if (answer_ != nullptr) next = answer_->Advance(reply, &end_);
  }
  if (rpc_.shape == Shape::kUnary) thread_.NoteWait(step.queue_ns());
  if (first) transport_.TakeNext();
  if (rpc_.shape == Shape::kFeed) EndOpening();
  Proceed(next, step);
}

void Call::ForgetRequest() {
  if (request_ == nullptr) return transport_.ForgetRequest();
  request_.reset();
}

void Call::EndOpening() {
  // Only to begin is an operation: a feed that waits for events keeps nobody waiting.
  passage_.End();
  meter_->CountBytes(transport_.request().size(), 0);
  transport_.ForgetRequest();
}

absl::Status Call::CheckDeadline() const {
  if (transport_.deadline() > meter_->begin()) return absl::OkStatus();
  ThreadCounters::Current().Count(ShedReason::kDeadline);
  return PassedBeforeBegin();
}

absl::Status Call::CheckDrained() const {
  if (thread_.drained().ok()) [[likely]]
    return absl::OkStatus();
  ThreadCounters::Current().Count(ShedReason::kShuttingDown);
  return thread_.drained();
}

absl::Status Call::Admit() {
  // To operators and probes the server says how it is until it is gone.
  if (rpc_.shape == Shape::kFeed || IsUsersWork(rpc_.method)) {
    if (absl::Status status = CheckDrained(); !status.ok()) return status;
  }
  if (rpc_.shape != Shape::kFrames) {
    if (absl::Status status = CheckDeadline(); !status.ok()) return status;
  }
  if (absl::Status status = TakePlace(); !status.ok()) return status;
  return Pass(&passage_);
}

absl::Status Call::Pass(Passage* passage) {
  if (absl::Status status = transport_.CheckMessage(); !status.ok()) [[unlikely]]
    return status;
  Gate* const gate = thread_.gate();
  if (share_ == nullptr) share_ = gate->ShareOf(transport_.connection());
  std::optional<Refusal> refusal = gate->Admit(rpc_.method, share_, 1, transport_.request().size(),
                                               transport_.deadline(), passage);
  if (!refusal.has_value()) [[likely]]
    return absl::OkStatus();
  ThreadCounters::Current().Count(refusal->reason);
  AddPushback(refusal->delay, &end_);
  return std::move(refusal->status);
}

absl::Status Call::AdmitReply() {
  constexpr size_t kSmallBytes = 4096;
  const ReplyWriter& reply = *thread_.reply();
  if (reply.size() <= kSmallBytes || !OnlyReads(rpc_.method)) return absl::OkStatus();
  std::optional<Refusal> refusal =
      thread_.gate()->AdmitReply(*share_, reply.size(), reply.uncounted_bytes());
  if (!refusal.has_value()) return absl::OkStatus();
  ThreadCounters::Current().Count(refusal->reason);
  AddPushback(refusal->delay, &end_);
  return std::move(refusal->status);
}

absl::Status Call::TakePlace() {
  if (rpc_.shape == Shape::kUnary || has_place_) return absl::OkStatus();
  if (rpc_.may_come != nullptr) {
    if (absl::Status may = rpc_.may_come(transport_); !may.ok()) return may;
  }
  ShedReason reason = ShedReason::kStreams;
  absl::Status status =
      thread_.gate()->places()->Take(rpc_.method, transport_.connection(), &reason);
  has_place_ = status.ok();
  if (!has_place_) ThreadCounters::Current().Count(reason);
  return status;
}

void Call::Advance() {
  if (answer_ == nullptr || thread_.closed()) {
    if (thread_.closed()) later_frames_.clear();
    StopWaiting();
    return ReleaseIfOver();
  }
  if (writing_) return;
  if (deadline_passed_) {
    end_.status = PassedWhileWaiting();
    return Finish();
  }
  const CallStep step(thread_.wait(), meter_->counters());
  if (rpc_.shape == Shape::kFeed && !thread_.drained().ok()) {
    if (answer_->WriteLastWord(thread_.reply())) return Proceed(Next::kMessage, step);
    end_.status = thread_.drained();
    return Finish();
  }
  passage_.Resume();
  thread_.reply()->ChargeBlocksTo(share_);
  const CallerScope scope(&transport_);
  Proceed(answer_->Advance(thread_.reply(), &end_), step);
}

void Call::Proceed(Next next, const CallStep& step) {
  if (rpc_.shape == Shape::kFrames && later_frames_.empty()) beside_ = next == Next::kWaitBeside;
  keys_ += step.keys();
  const auto now = CallStep::Clock::now();
  const CallTimes times = step.Executed(now);
  times_ += times;
  turn_times_ += times;
  switch (next) {
    case Next::kEnd:
      EndTurn(now);
      break;
    case Next::kMessage:
      FERRITE_CHECK(rpc_.shape == Shape::kStream || rpc_.shape == Shape::kFeed);
      meter_->CountBytes(0, thread_.reply()->size());
      if (in_frames()) meter_->EndFrame(times.execute_ns);
      Send(now);
      break;
    case Next::kYield:
      thread_.AskLater(target());
      Open();
      Wait();
      break;
    case Next::kWaitBeside:
    case Next::kWait:
      Open();
      Wait();
      ReadBeside();
      break;
  }
  const int64_t mark = step.Started();
  if (next == Next::kEnd || next == Next::kMessage) mark_ = mark;
}

void Call::EndTurn(CallStep::Clock::time_point now) {
  StopWaiting();
  ReplyWriter* const reply = thread_.reply();
  if (end_.status.ok()) end_.status = AdmitReply();
  if (!end_.status.ok()) {
    reply->Clear();
    AddPushbackIfAny();
  }
  if (rpc_.shape == Shape::kFrames) {
    meter_->EndFrame(turn_times_.execute_ns);
    meter_->CountBytes(request().size(), reply->size());
    LogIfSlow(turn_times_, reply->size(), 0);
    ForgetRequest();
    if (!end_.status.ok()) return Finish();
    Send(now);
    return ReadOn();
  }
  if (rpc_.shape != Shape::kUnary) reply->Clear();
  if (rpc_.shape == Shape::kUnary && end_.status.ok()) {
    sent_ = 1;
    sent_bytes_ = reply->size();
    meter_->CountBytes(0, sent_bytes_);
  }
  EndMeter(now);
  const uint64_t uncounted_bytes = reply->uncounted_bytes();
  Finish(now);
  passage_.HoldReply(uncounted_bytes);
}

void Call::Send(Clock::time_point now) {
  const ReplyWriter& reply = *thread_.reply();
  sent_bytes_ += reply.size();
  passage_.HoldReply(reply.uncounted_bytes());
  writing_ = true;
  opened_ = true;
  // What becomes of feeds that nobody reads is their own affair.
  if (rpc_.shape != Shape::kFeed) thread_.departures()->Begin(&departure_, now);
  transport_.StartWrite(thread_.reply());
}

void Call::Wait() {
  if (rpc_.shape == Shape::kFeed) return SetDeadlineTimer();
  if (std::exchange(waiting_, true)) return passage_.Wait();
  meter_->CountWaitBegun();
  passage_.Wait();
  SetDeadlineTimer();
}

void Call::SetDeadlineTimer() {
  // Of a stream of frames the deadline may have passed when no frame waited: it rings again then.
  if (deadline_timer_.has_value() && !deadline_passed_) return;
  const Clock::time_point deadline = transport_.deadline();
  if (deadline == Clock::time_point::max()) return;
  deadline_timer_.emplace([this] {
    deadline_passed_ = true;
    Advance();
  });
  deadline_timer_->Set(thread_.timers(), deadline);
}

void Call::StopWaiting() {
  answer_.reset();
  if (std::exchange(waiting_, false)) meter_->CountWaitEnded();
}

void Call::Finish(Clock::time_point now) {
  later_frames_.clear();
  StopWaiting();
  state_ = State::kFinishing;
  mark_ = 0;
  // Who has been told of the end finds it counted.
  if (!metered_) EndMeter(now);
  thread_.departures()->Begin(&departure_, now);
  AddServerTiming(times_, transport_, &end_);
  transport_.StartFinish(end_, thread_.reply());
}

void Call::EndMeter(CallStep::Clock::time_point now) {
  if (std::exchange(metered_, true)) return;
  meter_->End(end_.status, received_, sent_, now);
  if (in_frames()) return;
  meter_->CountBytes(transport_.request().size(), 0);
  LogIfSlow(times_, sent_bytes_, rpc_.shape == Shape::kUnary ? 0 : keys_);
  transport_.ForgetRequest();
}

void Call::LogIfSlow(const CallTimes& times, uint64_t response_bytes, uint64_t keys) {
  AddIfSlow(thread_.slow_calls(),
            {.method = rpc_.method,
             .times = times,
             .keys = static_cast<uint32_t>(keys),
             .response_bytes = response_bytes},
            transport_, end_.status, request());
}

absl::Status Call::EndByClient() const {
  const bool may = EndsWithItsClient(rpc_.method);
  const bool owes_nothing = rpc_.shape == Shape::kFrames ? sent_ == received_ : sent_ > 0;
  return may && owes_nothing ? absl::OkStatus() : absl::CancelledError();
}

void Call::ReleaseIfOver() {
  if (!begun_ || !gone_ || opening_ || reading_ || writing_ || state_ == State::kFinishing) return;
  StopWaiting();
  if (state_ == State::kOpen) end_.status = EndByClient();
  EndMeter(CallStep::Clock::now());
  passage_.End();
  passage_ahead_.End();
  if (has_place_) thread_.gate()->places()->GiveBack(rpc_.method, transport_.connection());
  deadline_timer_.reset();
  Unlink();
  ForgetTarget();
  transport_.Release();
}

void Call::ForgetTarget() {
  if (target_ != nullptr) target_->call = nullptr;
}

const std::shared_ptr<WakeTarget>& Call::target() {
  if (target_ == nullptr) target_ = std::make_shared<WakeTarget>(&thread_, this);
  return target_;
}

}  // namespace ferrite
