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

}  // namespace

absl::Status Lane::Add(std::shared_ptr<LaneOperation> operation) {
  if (closed_) return Unreachable(absl::OkStatus(), /*sent=*/false);
  if (bytes_ >= kMaxBytes || operations_ >= kMaxOperations) {
    return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                     "as much waits for node " + peer_.id + " as may, " +
                         std::to_string(kMaxBytes >> 20) + " MiB or " +
                         std::to_string(kMaxOperations) + " operations of each thread",
                     {{"limit", std::to_string(kMaxBytes)}, {"node", peer_.id}});
  }
  ++operations_;
  bytes_ += operation->message.size();
  ThreadCounters::Add(&waiting_bytes_, operation->message.size());
  queue_.push_back(std::move(operation));
  return absl::OkStatus();
}

void Lane::Flush() {
  if (queue_.empty() || closed_) return;
  if (stream_ == nullptr) {
    stream_ = channel_->Open(Method::kPipeline, {{kForwardedMetadata, "1"}}, this);
    return;
  }
  if (!open_ || sending_ || frames_.size() >= kMaxFrames) return;
  LaneFrame frame = NextFrame();
  if (frame.empty()) return;
  WriteLaneFrame(frame, LaneOperation::Clock::now(), &writer_);
  frames_.push_back(std::move(frame));
  sending_ = true;
  stream_->Send(&writer_, /*last=*/false);
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
    const bool alone = next->alone;
    bytes += next->message.size();
    if (!frame.empty() && (alone || bytes > kMaxFrameBytes)) break;
    frame.push_back(std::move(next));
    if (alone) {
      queue_.pop_front();
      break;
    }
  }
  return frame;
}

void Lane::Close() {
  closed_ = true;
  const absl::Status gone = absl::UnavailableError("it is no longer a node of the cluster");
  FailFrames(Unreachable(gone, /*sent=*/true));
  FailQueue(Unreachable(gone, /*sent=*/false));
  if (stream_ != nullptr) Abort();
}

void Lane::OnOpened() {
  if (closed_) return;
  open_ = opened_ = true;
  stream_->Read();
  Flush();
}

void Lane::OnSent() {
  sending_ = false;
  Flush();
}

void Lane::OnRead(std::shared_ptr<const Request> message) {
  if (closed_ || frames_.empty()) return Abort();  // nobody asked for it
  const LaneFrame frame = std::move(frames_.front());
  frames_.pop_front();
  if (!EndByReply(frame, message)) {
    // Replies can no longer be told apart.
    frames_.push_front(frame);
    FailFrames(Unreachable(absl::UnavailableError("its reply is malformed"), /*sent=*/true));
    return Abort();
  }
  Forget(frame);
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
  if (NothingWasDone(status)) {
    FailFrames(ReasonOf(status) == v1::OVERLOADED ? status : Unreachable(status, /*sent=*/false));
  } else {
    FailFrames(Unreachable(status, /*sent=*/true));
  }
  // What was not sent takes the next stream, unless there will be none.
  if (!std::exchange(opened_, false)) FailQueue(Unreachable(status, /*sent=*/false));
  Flush();
}

void Lane::FailFrames(const absl::Status& why) {
  for (const LaneFrame& frame : std::exchange(frames_, {})) {
    Forget(frame);
    for (const auto& operation : frame) operation->End(why);
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
  ThreadCounters::Add(&waiting_bytes_, -bytes);
}

absl::Status Lane::Unreachable(const absl::Status& cause, bool sent) const {
  return PeerUnreachable(peer_.id, peer_.address, cause, sent);
}

}  // namespace ferrite
