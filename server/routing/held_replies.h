#pragma once

// The replies of peers that are still needed: calls wait for others of their operations, and values
// are on their way to clients that may read them slowly.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "server/call/reply_writer.h"
#include "server/call/request.h"

namespace ferrite {

// Those of all lanes of a node. Thread-safe. Replies may outlive it.
class HeldReplies {
 public:
  static constexpr uint64_t kSmallBytes = uint64_t{64} << 10;

  explicit HeldReplies(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  // The same message, in one piece, counted until nobody has it any more. Null if those that are
  // held leave no room for it, which is then not taken; the only one always has room, and so have
  // small ones, as are those of writes: they are soon gone, and there are only a few of each lane.
  std::shared_ptr<const Request> Hold(std::shared_ptr<const Request>&& reply);
  // A copy of a small part of a message that had no room. It always has.
  std::shared_ptr<const Request> HoldCopy(std::string_view part);

  uint64_t limit_bytes() const { return limit_bytes_; }
  uint64_t bytes() const { return bytes_->load(std::memory_order_relaxed); }

 private:
  const uint64_t limit_bytes_;
  const std::shared_ptr<std::atomic<uint64_t>> bytes_ = std::make_shared<std::atomic<uint64_t>>(0);
};

// Appends a part of a message that may be such a reply: by reference if it is much of it, as all of
// it then stays until the part is out; otherwise a copy.
void AppendPart(std::string_view part, const std::shared_ptr<const Request>& of, ReplyWriter* to);

}  // namespace ferrite
