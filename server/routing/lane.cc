#include "server/routing/lane.h"

#include <algorithm>
#include <utility>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/routing/destination.h"
#include "server/routing/reply_without_values.h"

namespace ferrite {
namespace {

// Whether the peer ended the stream in a way that says so: what has no reply was not executed.
bool NothingWasDone(const absl::Status& status) {
  const v1::ErrorReason reason = ReasonOf(status);
  if (reason != v1::SHUTTING_DOWN && reason != v1::OVERLOADED) return false;
  return !ErrorInfoOf(status).metadata().contains("executed");
}

const absl::Status& TooLate() {
  static const absl::Status late =
      MakeError(absl::StatusCode::kDeadlineExceeded, v1::DEADLINE_PASSED,
                "the time of the operation was over before it was forwarded; nothing was done");
  return late;
}

}  // namespace

absl::Status Lane::Add(std::shared_ptr<LaneParcel> parcel) {
  if (closed_) return Unreachable(absl::OkStatus(), /*sent=*/false);
  if (silent_) return Silent(/*sent=*/false);
  if (parcel->bytes > terms_.limits.operation_bytes) return TooLarge(parcel->bytes);
  const size_t operations = parcel->operations.size();
  if (bytes_ >= kMaxBytes || operations_ + operations > kMaxOperations) {
    return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                     "as much waits for node " + peer_.id + " as may, " +
                         std::to_string(kMaxBytes >> 20) + " MiB or " +
                         std::to_string(kMaxOperations) + " operations of each thread",
                     {{"limit", std::to_string(kMaxBytes)}, {"node", peer_.id}});
  }
  const Clock::time_point now = Clock::now();
  bool in_time = false;
  parcel->wait_until = now;
  for (LaneOperation& operation : parcel->operations) {
    in_time |= operation.deadline > now;
    operation.wait_until = WaitFor(operation.deadline, now);
    parcel->wait_until = std::max(parcel->wait_until, operation.wait_until);
  }
  if (!in_time) return TooLate();
  WakeAt(parcel->wait_until);
  operations_ += operations;
  bytes_ += parcel->bytes;
  ThreadCounters::Add(&terms_.tally->waiting_bytes, parcel->bytes);
  terms_.budget->Exchange(0, parcel->bytes);
  queue_.push_back(std::move(parcel));
  FlushSoon();
  return absl::OkStatus();
}

void Lane::FlushSoon() {
  if (!closed_ && !std::exchange(flushes_soon_, true)) terms_.to_flush->push_back(this);
}

void Lane::Flush() {
  flushes_soon_ = false;
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
  if (frame.parcels.empty()) return;
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
  size_t sent = 0;
  for (const LaneFrame& frame : frames_) sent += frame.operations;
  const bool full = operations_ - sent >= kMaxBatchKeys || bytes_ >= kMaxFrameBytes;
  return full ? kMaxFrames : kFramesOfAnySize;
}

LaneFrame Lane::NextFrame() {
  LaneFrame frame;
  for (; !queue_.empty(); queue_.pop_front()) {
    std::shared_ptr<LaneParcel>& next = queue_.front();
    const size_t operations = next->operations.size();
    if (next->of->abandoned()) {
      Forget(operations, next->bytes);
      next->End(absl::CancelledError());
      continue;
    }
    if (!frame.parcels.empty() && (frame.operations + operations > kMaxBatchKeys ||
                                   frame.bytes + next->bytes > kMaxFrameBytes ||
                                   !next->MayShareFrameWith(*frame.parcels.front()))) {
      break;
    }
    frame.Add(std::move(next));
  }
  return frame;
}

void Lane::Close() {
  closed_ = true;
  if (flushes_soon_) std::erase(*terms_.to_flush, this);
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
  FlushSoon();
}

void Lane::OnSent() {
  sending_ = false;
  FlushSoon();
}

void Lane::OnRead(std::shared_ptr<const Request> message) {
  if (closed_ || frames_.empty()) return Abort();  // nobody asked for it
  heard_at_ = Clock::now();
  const LaneFrame frame = std::move(frames_.front());
  frames_.pop_front();
  Forget(frame.operations, frame.bytes);
  std::shared_ptr<const Request> held = terms_.replies->Hold(std::move(message));
  // What was executed is told all the same.
  if (held == nullptr) held = HoldWithoutValues(*message, peer_.id, terms_.replies);
  if (!EndByReply(frame, held)) {
    // Replies can no longer be told apart.
    const absl::Status malformed = absl::UnavailableError("its reply is malformed");
    EndFrame(frame, Unreachable(malformed, /*sent=*/true));
    FailFrames(Unreachable(malformed, /*sent=*/true));
    return Abort();
  }
  stream_->Read();
  FlushSoon();
}

void Lane::Abort() {
  open_ = false;
  stream_->Cancel();
}

void Lane::OnEnded(const absl::Status& status) {
  open_ = false;
  sending_ = false;
  stream_.reset();
  if (ReasonOf(status) == v1::REQUEST_TOO_LARGE && !frames_.empty()) {
    RefuseFirstFrame(Counted(status));  // by the peer
  } else if (!NothingWasDone(status)) {
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
  FlushSoon();
}

void Lane::EndFrame(const LaneFrame& frame, const absl::Status& why) {
  for (const auto& parcel : frame.parcels) {
    if (!parcel->done) parcel->End(why);
  }
}

void Lane::FailFrames(const absl::Status& why) {
  for (const LaneFrame& frame : std::exchange(frames_, {})) {
    Forget(frame.operations, frame.bytes);
    EndFrame(frame, why);
  }
}

void Lane::RefuseFirstFrame(const absl::Status& why) {
  const LaneFrame refused = std::move(frames_.front());
  frames_.pop_front();
  Forget(refused.operations, refused.bytes);
  EndFrame(refused, why);
  for (; !frames_.empty(); frames_.pop_back()) {
    const auto& parcels = frames_.back().parcels;
    for (auto parcel = parcels.rbegin(); parcel != parcels.rend(); ++parcel) {
      if ((*parcel)->done) {
        Forget((*parcel)->operations.size(), (*parcel)->bytes);
      } else {
        queue_.push_front(*parcel);
      }
    }
  }
}

void Lane::FailQueue(const absl::Status& why) {
  for (const auto& parcel : std::exchange(queue_, {})) {
    Forget(parcel->operations.size(), parcel->bytes);
    parcel->End(why);
  }
}

void Lane::Forget(size_t operations, size_t bytes) {
  operations_ -= operations;
  bytes_ -= bytes;
  ThreadCounters::Add(&terms_.tally->waiting_bytes, -bytes);
  terms_.budget->Exchange(bytes, 0);
}

absl::Status Lane::TooLarge(size_t bytes) const {
  const std::string size = std::to_string(bytes);
  const std::string limit = std::to_string(terms_.limits.operation_bytes);
  return InvalidArgument(v1::REQUEST_TOO_LARGE,
                         "the request has " + size + " bytes as it is forwarded to node " +
                             peer_.id + "; the limit is " + limit +
                             " (twice --max-value-bytes, but at least 4 MiB, and 64 KiB less what "
                             "is around it)",
                         {{"limit", limit}, {"size", size}});
}

absl::Status Lane::Unreachable(const absl::Status& cause, bool sent) const {
  return PeerUnreachable(peer_.id, peer_.address, cause, sent);
}

}  // namespace ferrite
