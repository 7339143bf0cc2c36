#include "server/guard/guarded_connection.h"

#include <algorithm>

namespace ferrite {
namespace {

// By then gRPC has dealt with a stream that was begun, unless its thread is kept from it.
constexpr int64_t kMomentNs = 50'000'000;
// So many that nobody resets cost next to nothing.
constexpr int64_t kFewStreams = 64;

}  // namespace

bool GuardedConnection::Walk(const iovec* pieces, size_t size, const FrameLimits& limits) {
  const size_t read = size;
  const int64_t streams = Count(CutReason::kStreams);
  last_before_ = last_stream_;
  reset_at_once_ = 0;
  for (; size > 0; ++pieces) {
    const size_t taken = std::min(size, pieces->iov_len);
    walker_.Walk(static_cast<const char*>(pieces->iov_base), taken, this);
    size -= taken;
  }
  messages_.EndRead();
  begun_ = Count(CutReason::kStreams) - streams;
  turn.Add(read, begun_);
  blocked_streams_ = answers.blocked() ? blocked_streams_ + begun_ : 0;
  return odd_ > 0 || Count(CutReason::kStreams) >= kFewStreams ||
         longest_block_ > limits.header_block_bytes ||
         unacknowledged_ > limits.unacknowledged_streams;
}

std::optional<CutReason> GuardedConnection::Charge(int64_t now_ns, size_t connections,
                                                   ProcessFrameBudget* process) {
  FrameCounts counts = counts_;
  for (size_t kind = 0; kind < kCountedFrames; ++kind) totals_[kind] += counts[kind];
  counts[static_cast<size_t>(CutReason::kResets)] = ResetYoung(now_ns);
  const int64_t asked = Count(CutReason::kPings) + Count(CutReason::kSettings);
  counts_ = {};
  odd_ = 0;
  const FrameLimits& limits = process->limits();
  if (longest_block_ > limits.header_block_bytes) return CutReason::kHeaderBytes;
  if (unacknowledged_ > limits.unacknowledged_streams) return CutReason::kStreams;
  // A turn cannot end within a record of TLS. No client begins and resets so many streams in one.
  if (over_tls_ && reset_at_once_ > limits.most_streams_in_turn) return CutReason::kResets;
  if (const std::optional<CutReason> reason =
          budget_.Charge(counts, now_ns, connections, process)) {
    return reason;
  }
  if (asked > 0 &&
      unanswered.fetch_add(asked, std::memory_order_relaxed) + asked > limits.unanswered) {
    return CutReason::kPings;
  }
  return std::nullopt;
}

bool GuardedConnection::AwaitsItsClient(int descriptor, const FrameLimits& limits) {
  if (!answers.blocked() || blocked_streams_ < limits.least_streams_in_turn || !poll.known()) {
    return false;
  }
  awaits_client_.store(true);
  // Perhaps all was written meanwhile, and nobody saw that it waits.
  if (answers.blocked()) return true;
  if (awaits_client_.exchange(false)) poll.Wake(descriptor);
  return true;
}

void GuardedConnection::Wrote(int descriptor, bool all, std::atomic<int64_t>* untaken) {
  if (unanswered.load(std::memory_order_relaxed) != 0)
    unanswered.store(0, std::memory_order_relaxed);
  // A client that takes a little now and then is not served any faster than it takes.
  if (all && answers.EndBlock(untaken) && awaits_client_.exchange(false)) poll.Wake(descriptor);
}

void GuardedConnection::OnFrame(const FrameHead& frame) {
  if (frame.type != http2::kData) messages_.Skip(http2::kHeadBytes + frame.length);
  switch (frame.type) {
    case http2::kData:
      messages_.BeginData(frame);
      break;
    case http2::kHeaders:
      if (frame.stream > last_stream_) {
        last_stream_ = frame.stream;
        ++Count(CutReason::kStreams);
        if (!acknowledged_) ++unacknowledged_;
        messages_.BeginStream(frame.stream);
      }
      if (frame.has(http2::kEndStream)) messages_.EndStream(frame.stream);
      [[fallthrough]];
    case http2::kContinuation:
      block_bytes_ += http2::kHeadBytes + frame.length;
      longest_block_ = std::max(longest_block_, block_bytes_);
      if (frame.has(http2::kEndHeaders)) block_bytes_ = 0;
      break;
    case http2::kResetStream:
      if (frame.stream > last_before_) ++reset_at_once_;
      CountOdd(CutReason::kResets);
      messages_.EndStream(frame.stream);
      break;
    case http2::kSettings:
      acknowledged_ = acknowledged_ || frame.has(http2::kAck);
      CountOdd(CutReason::kSettings);
      break;
    case http2::kPing:
      CountOdd(CutReason::kPings);
      break;
    case http2::kWindowUpdate:
      break;
    default:
      CountOdd(CutReason::kOtherFrames);
  }
}

void GuardedConnection::OnDataEnd() {
  if (messages_.EndData()) CountOdd(CutReason::kEmptyData);
}

int64_t GuardedConnection::ResetYoung(int64_t now_ns) {
  const int64_t moment = now_ns / kMomentNs;
  if (moment != moment_) {
    aging_ = moment == moment_ + 1 ? young_ : 0;
    young_ = 0;
    moment_ = moment;
  }
  young_ += Count(CutReason::kStreams);
  const int64_t resets = std::min(Count(CutReason::kResets), young_ + aging_);
  const int64_t of_aging = std::min(resets, aging_);
  aging_ -= of_aging;
  young_ -= resets - of_aging;
  return resets;
}

}  // namespace ferrite
