#include "server/guard/unfinished_messages.h"

#include <algorithm>

namespace ferrite {
namespace {

// gRPC keeps a piece as a reference to the buffer that it was read into. Where others' bytes lie
// between a stream's pieces, each may keep one alive: taken to be of this size.
constexpr uint64_t kBufferBytes = 16 << 10;
// What gRPC needs for each piece.
constexpr int64_t kPieceBytes = 32;

}  // namespace

void UnfinishedMessages::BeginData(const FrameHead& frame) {
  received_ += http2::kHeadBytes;
  stream_ = frame.stream;
  ends_ = frame.has(http2::kEndStream);
  pad_to_come_ = frame.has(http2::kPadded);
  content_ = frame.length;
  empty_ = true;
  message_ = {};
  known_ = false;
  ForgetFresh(stream_);
  if (streams_.empty()) return;
  if (const auto found = streams_.find(stream_); found != streams_.end()) {
    message_ = found->second;
    known_ = true;
  }
}

void UnfinishedMessages::OnData(const char* bytes, size_t size) {
  received_ += size;
  if (pad_to_come_) {
    const uint32_t padding = 1 + uint32_t{static_cast<uint8_t>(*bytes)};
    content_ -= std::min(content_, padding);
    pad_to_come_ = false;
    ++bytes;
    --size;
  }
  const size_t taken = std::min<size_t>(size, content_);
  content_ -= static_cast<uint32_t>(taken);
  if (taken == 0) return;
  empty_ = false;
  Advance(bytes, taken);
}

void UnfinishedMessages::Advance(const char* bytes, size_t size) {
  while (size > 0) {
    if (message_.prefix < kPrefixBytes) {
      if (message_.prefix > 0) message_.size[message_.prefix - 1] = static_cast<uint8_t>(*bytes);
      ++message_.prefix;
      ++at_hand_;
      ++bytes;
      --size;
      if (message_.prefix < kPrefixBytes) continue;
      message_.missing = uint32_t{message_.size[0]} << 24 | uint32_t{message_.size[1]} << 16 |
                         uint32_t{message_.size[2]} << 8 | uint32_t{message_.size[3]};
    }
    const auto taken = static_cast<uint32_t>(std::min<size_t>(size, message_.missing));
    message_.missing -= taken;
    at_hand_ += taken;
    bytes += taken;
    size -= taken;
    if (message_.missing > 0) continue;
    // Complete; what follows is the next message of the stream.
    bytes_ -= message_.held;
    message_ = {};
    at_hand_ = 0;
  }
}

bool UnfinishedMessages::EndData() {
  const bool nothing = empty_ && !ends_;
  if (ends_ || (message_.prefix == 0 && message_.held == 0)) {
    bytes_ -= message_.held;
    if (known_) streams_.erase(stream_);
  } else {
    const uint64_t between = std::min(received_ - message_.told, kBufferBytes);
    if (at_hand_ > 0) at_hand_ = std::max(at_hand_, static_cast<int64_t>(between)) + kPieceBytes;
    message_.held += at_hand_;
    message_.told = received_;
    bytes_ += at_hand_;
    streams_[stream_] = message_;
  }
  at_hand_ = 0;
  return nothing;
}

void UnfinishedMessages::EndRead() {
  for (const uint32_t stream : fresh_) {
    const auto [waiting, is_new] = streams_.try_emplace(stream);
    if (!is_new) continue;
    waiting->second.held = kStreamBytes;
    waiting->second.told = received_;
    bytes_ += kStreamBytes;
  }
  fresh_.clear();
}

void UnfinishedMessages::ForgetFresh(uint32_t stream) {
  if (fresh_.empty()) return;
  if (fresh_.back() == stream) return fresh_.pop_back();
  const auto found = std::lower_bound(fresh_.begin(), fresh_.end(), stream);
  if (found != fresh_.end() && *found == stream) fresh_.erase(found);
}

void UnfinishedMessages::EndStream(uint32_t stream) {
  ForgetFresh(stream);
  if (streams_.empty()) return;
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  bytes_ -= found->second.held;
  streams_.erase(found);
}

}  // namespace ferrite
