#include "client/topology/topology_watch.h"

#include <algorithm>
#include <utility>

#include "client/error.h"
#include "client/pushback.h"
#include "client/retry.h"
#include "client/steady_time.h"
#include "client/topology/node_directory.h"

namespace ferrite {
namespace {

constexpr absl::Duration kLonePause = absl::Minutes(1);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
constexpr std::chrono::seconds kMovesApart(1);

}  // namespace

std::shared_ptr<TopologyWatch> TopologyWatch::Start(CompletionThread* thread,
                                                    NodeDirectory* directory,
                                                    const RetryPolicy& retry) {
  std::shared_ptr<TopologyWatch> watch(new TopologyWatch(thread, directory, retry));
  if (!thread->Add(watch.get())) return watch;
  watch->self_ = watch;
  MutexLock lock(&watch->mutex_);
  thread->HandOver();
  watch->alarm_.Set(thread->queue(), ToGrpc(Clock::now()), watch.get());
  return watch;
}

void TopologyWatch::Proceed(bool ok) {
  switch (step_) {
    case Step::kOpen:
      return Open();
    case Step::kStart:
      return ok ? Read() : Finish();
    case Step::kRead:
      return ok ? TakeMessage() : Finish();
    case Step::kFinish:
      return OnBroken();
  }
}

void TopologyWatch::Open() {
  RemoteNode* avoided = nullptr;
  {
    MutexLock lock(&mutex_);
    avoided = failures_ > 0 || moving_on_ ? node_.get() : nullptr;
  }
  Placement place = directory_.PlaceAnywhere(avoided);
  grpc::ClientContext* context = nullptr;
  RemoteNode* node = nullptr;
  {
    MutexLock lock(&mutex_);
    node_ = place.node->shared_remote();
    node = node_.get();
    moving_on_ = false;
    if (!cancelled_) context = &context_.emplace();
  }
  if (context == nullptr) return Leave();
  step_ = Step::kStart;
  is_lone_ = false;
  reader_ = node->NextConnection().cluster.PrepareAsyncWatchTopology(context, {}, thread_.queue());
  reader_->StartCall(this);
}

void TopologyWatch::Read() {
  step_ = Step::kRead;
  reader_->Read(&message_, this);
}

void TopologyWatch::TakeMessage() {
  const absl::StatusOr<bool> has_cluster = directory_.Take(message_.topology());
  is_lone_ = has_cluster.ok() && !*has_cluster;
  if (has_cluster.ok() && *has_cluster) {
    failures_ = 0;
  } else {
    GiveUp();
  }
  Read();  // which fails at once if the stream was given up
}

void TopologyWatch::GiveUp() {
  MutexLock lock(&mutex_);
  context_->TryCancel();
}

void TopologyWatch::Finish() {
  step_ = Step::kFinish;
  reader_->Finish(&status_, this);
}

void TopologyWatch::OnBroken() {
  reader_.reset();  // lies in memory of the context, which the next stream replaces
  RemoteNode* node;
  {
    MutexLock lock(&mutex_);
    node = node_.get();
  }
  if (CouldNotConnect(status_)) directory_.NoteUnreachable(*node);
  const absl::Duration pause = PauseAfter(status_);
  {
    MutexLock lock(&mutex_);
    if (!cancelled_) {
      step_ = Step::kOpen;
      return alarm_.Set(thread_.queue(), GrpcTimeIn(absl::ToChronoNanoseconds(pause)), this);
    }
  }
  Leave();
}

absl::Duration TopologyWatch::PauseAfter(const grpc::Status& status) {
  const bool is_older = status.error_code() == grpc::StatusCode::UNIMPLEMENTED;
  if (is_lone_ || (is_older && !directory_.HasChoice())) {
    failures_ = 0;
    return kLonePause;
  }
  ++failures_;
  if (is_older) return kLongestPause;
  MutexLock lock(&mutex_);
  if (moving_on_) return absl::ZeroDuration();
  const std::optional<std::string> pushback = PushbackIn(*context_);
  const std::optional<absl::Duration> told =
      pushback.has_value() ? PushbackOf(*pushback) : std::nullopt;
  return std::min(told.value_or(Backoff(retry_, failures_, RandomChance())), kLongestPause);
}

void TopologyWatch::MoveOn() {
  MutexLock lock(&mutex_);
  MoveOnLocked();
}

void TopologyWatch::MoveOnFrom(const RemoteNode& node) {
  MutexLock lock(&mutex_);
  if (node_.get() == &node) MoveOnLocked();
}

void TopologyWatch::MoveOnLocked() {
  const Clock::time_point now = Clock::now();
  if (moving_on_ || now - moved_on_ < kMovesApart) return;
  moving_on_ = true;
  moved_on_ = now;
  if (context_.has_value()) context_->TryCancel();
}

void TopologyWatch::Cancel() {
  MutexLock lock(&mutex_);
  cancelled_ = true;
  // At most one of the two is pending; cancelling the other has no effect.
  alarm_.Cancel();
  if (context_.has_value()) context_->TryCancel();
}

void TopologyWatch::Leave() {
  const std::shared_ptr<TopologyWatch> self = std::move(self_);
  {
    MutexLock lock(&mutex_);
    context_.reset();
  }
  thread_.Remove(this);
}

}  // namespace ferrite
