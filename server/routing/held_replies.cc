#include "server/routing/held_replies.h"

#include <cstring>
#include <string>
#include <utility>

namespace ferrite {
namespace {

// A part that is smaller by so much is copied.
constexpr size_t kMuch = 4;

class HeldReply {
 public:
  HeldReply(std::shared_ptr<const Request> reply, std::shared_ptr<std::atomic<uint64_t>> bytes)
      : reply_(std::move(reply)), bytes_(std::move(bytes)), size_(reply_->size()) {
    if (reply_->in_one_piece()) return;
    // The pieces are let go of, so that it is not there twice.
    joined_.resize(size_);
    reply_->CopyOut(0, size_, joined_.data());
    whole_ = Request(std::string_view(joined_));
    reply_.reset();
  }
  HeldReply(std::string_view part, std::shared_ptr<std::atomic<uint64_t>> bytes)
      : bytes_(std::move(bytes)), size_(part.size()), joined_(part), whole_(joined_) {}
  ~HeldReply() { bytes_->fetch_sub(size_, std::memory_order_relaxed); }
  HeldReply(const HeldReply&) = delete;
  HeldReply& operator=(const HeldReply&) = delete;

  const Request* message() const { return reply_ != nullptr ? reply_.get() : &whole_; }

 private:
  std::shared_ptr<const Request> reply_;
  const std::shared_ptr<std::atomic<uint64_t>> bytes_;
  const uint64_t size_;
  std::string joined_;
  Request whole_;
};

}  // namespace

std::shared_ptr<const Request> HeldReplies::Hold(std::shared_ptr<const Request>&& reply) {
  const uint64_t size = reply->size();
  const uint64_t before = bytes_->fetch_add(size, std::memory_order_relaxed);
  if (size > kSmallBytes && before != 0 && before + size > limit_bytes_) {
    bytes_->fetch_sub(size, std::memory_order_relaxed);
    return nullptr;
  }
  const auto held = std::make_shared<const HeldReply>(std::move(reply), bytes_);
  return {held, held->message()};
}

std::shared_ptr<const Request> HeldReplies::HoldCopy(std::string_view part) {
  bytes_->fetch_add(part.size(), std::memory_order_relaxed);
  const auto held = std::make_shared<const HeldReply>(part, bytes_);
  return {held, held->message()};
}

void AppendPart(std::string_view part, const std::shared_ptr<const Request>& of, ReplyWriter* to) {
  if (of != nullptr && part.size() >= of->size() / kMuch) return to->AppendShared(part, of);
  std::memcpy(to->Append(part.size()), part.data(), part.size());
}

}  // namespace ferrite
