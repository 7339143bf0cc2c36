#include "server/routing/lane.h"

#include <utility>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/routing/destination.h"

namespace ferrite {
namespace {

// Whether the peer ended the stream in a way that says so: what has no reply was not executed.
bool NothingWasDone(const absl::Status& status) {
  const v1::ErrorReason reason = ReasonOf(status);
  return reason == v1::SHUTTING_DOWN || reason == v1::OVERLOADED;
}

const absl::Status& TooLate() {
  static const absl::Status late =
      MakeError(absl::StatusCode::kDeadlineExceeded, v1::DEADLINE_PASSED,
                "the time of the operation was over before it was forwarded; nothing was done");
  return late;
}

}  // namespace

absl::Status Lane::Add(std::shared_ptr<LaneOperation> operation) {
  if (closed_) return Unreachable(absl::OkStatus(), /*sent=*/false);
  if (silent_) return Silent(/*sent=*/false);
  if (bytes_ >= kMaxBytes || operations_ >= kMaxOperations) {
    return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                     "as much waits for node " + peer_.id + " as may, " +
                         std::to_string(kMaxBytes >> 20) + " MiB or " +
                         std::to_string(kMaxOperations) + " operations of each thread",
                     {{"limit", std::to_string(kMaxBytes)}, {"node", peer_.id}});
  }
  const Clock::time_point now = Clock::now();
  if (operation->deadline <= now) return TooLate();
  operation->wait_until = WaitFor(operation->deadline, now);
  WakeAt(operation->wait_until);
  ++operations_;
  bytes_ += operation->message.size();
  ThreadCounters::Add(&terms_.tally->waiting_bytes, operation->message.size());
  terms_.budget->Exchange(0, operation->message.size());
  queue_.push_back(std::move(operation));
  return absl::OkStatus();
}

void Lane::Flush() {
  if (queue_.empty() || closed_) return;
  if (stream_ == nullptr) {
    stream_ = channel_->Open(Method::kPipeline, {{kForwardedMetadata, "1"}}, this);
    return;
  }
  if (!open_ || sending_ || frames_.size() >= MostFrames()) return;
  const Clock::time_point now = Clock::now();
  if (now >= old_at_) {
    // The next stream begins when all replies of this one are there, so that the order is kept.
    if (frames_.empty()) Abort();
    return;
  }
  LaneFrame frame = NextFrame();
  if (frame.empty()) return;
  WriteLaneFrame(frame, now, &writer_);
  if (frames_.empty()) {
    heard_at_ = now;
    if (!silent_) WakeAt(now + terms_.limits.patience);
  }
  frames_.push_back(std::move(frame));
  sending_ = true;
  stream_->Send(&writer_, /*last=*/false);
}

size_t Lane::MostFrames() const {
  const bool full = queue_.size() >= kMaxBatchKeys || bytes_ >= kMaxFrameBytes;
  return full ? kMaxFrames : kFramesOfAnySize;
}

LaneFrame Lane::NextFrame() {
  LaneFrame frame;
  for (size_t bytes = 0; !queue_.empty() && frame.size() < kMaxBatchKeys; queue_.pop_front()) {
    std::shared_ptr<LaneOperation>& next = queue_.front();
    if (next->of->abandoned()) {
      Forget({next});
      next->End(absl::CancelledError());
      continue;
    }
    bytes += next->message.size();
    if (!frame.empty() && (bytes > kMaxFrameBytes || !next->MayShareFrameWith(*frame.front()))) {
      break;
    }
    frame.push_back(std::move(next));
  }
  return frame;
}

void Lane::Close() {
  closed_ = true;
  timer_.Cancel();
  const absl::Status gone = absl::UnavailableError("it is no longer a node of the cluster");
  FailFrames(Unreachable(gone, /*sent=*/true));
  FailQueue(Unreachable(gone, /*sent=*/false));
  probe_.Abandon();
  if (stream_ != nullptr) Abort();
}

void Lane::OnOpened() {
  if (closed_) return;
  open_ = opened_ = true;
  failed_ = false;
  old_at_ = Clock::now() + terms_.limits.stream_age;
  stream_->Read();
  Flush();
}

void Lane::OnSent() {
  sending_ = false;
  Flush();
}

void Lane::OnRead(std::shared_ptr<const Request> message) {
  if (closed_ || frames_.empty()) return Abort();  // nobody asked for it
  heard_at_ = Clock::now();
  const LaneFrame frame = std::move(frames_.front());
  frames_.pop_front();
  Forget(frame);
  const std::shared_ptr<const Request> held = terms_.replies->Hold(std::move(message));
  if (held == nullptr) {
    EndFrame(frame, NoRoomForReplies());
  } else if (!EndByReply(frame, held)) {
    // Replies can no longer be told apart.
    const absl::Status malformed = absl::UnavailableError("its reply is malformed");
    EndFrame(frame, Unreachable(malformed, /*sent=*/true));
    FailFrames(Unreachable(malformed, /*sent=*/true));
    return Abort();
  }
  stream_->Read();
  Flush();
}

void Lane::Abort() {
  open_ = false;
  stream_->Cancel();
}

void Lane::OnEnded(const absl::Status& status) {
  open_ = false;
  sending_ = false;
  stream_.reset();
  if (!NothingWasDone(status)) {
    FailFrames(Unreachable(status, /*sent=*/true));
  } else if (ReasonOf(status) == v1::OVERLOADED) {
    FailFrames(Counted(status));  // by the peer
  } else {
    FailFrames(Unreachable(status, /*sent=*/false));
  }
  // What was not sent takes the next stream, unless there will be none: a stream that begins just
  // when its connection is closed, and never opens, says nothing of the next one.
  if (!std::exchange(opened_, false) && std::exchange(failed_, true)) {
    FailQueue(Unreachable(status, /*sent=*/false));
  }
  Flush();
}

void Lane::EndFrame(const LaneFrame& frame, const absl::Status& why) {
  for (const auto& operation : frame) {
    if (!operation->done) operation->End(why);
  }
}

void Lane::FailFrames(const absl::Status& why) {
  for (const LaneFrame& frame : std::exchange(frames_, {})) {
    Forget(frame);
    EndFrame(frame, why);
  }
}

void Lane::FailQueue(const absl::Status& why) {
  for (const auto& operation : std::exchange(queue_, {})) {
    Forget({operation});
    operation->End(why);
  }
}

void Lane::Forget(const LaneFrame& frame) {
  size_t bytes = 0;
  for (const auto& operation : frame) bytes += operation->message.size();
  operations_ -= frame.size();
  bytes_ -= bytes;
  ThreadCounters::Add(&terms_.tally->waiting_bytes, -bytes);
  terms_.budget->Exchange(bytes, 0);
}

absl::Status Lane::Unreachable(const absl::Status& cause, bool sent) const {
  return PeerUnreachable(peer_.id, peer_.address, cause, sent);
}

absl::Status Lane::NoRoomForReplies() const {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "node " + peer_.id +
                       " has executed it, but answers of other nodes that were not passed on "
                       "leave no room for its answer: they may take " +
                       std::to_string(terms_.replies->limit_bytes()) +
                       " bytes (half of --max-inflight-bytes)",
                   {{"limit", std::to_string(terms_.replies->limit_bytes())},
                    {"node", peer_.id},
                    {"executed", "yes"}});
}

}  // namespace ferrite
