#pragma once

// The calls of CacheService that are served straight from and to bytes of the wire: those of which
// there are most (Pipeline, MGet), and those whose replies may be large (Get). cache.proto is their
// contract like that of all others.
//
// Operations of the simple kinds (FrameOperation::Kind) are found in the frame where they lie, go
// to the store in groups, and have their outcomes written field by field into the reply. Whatever
// is not simple, or is wrong in any way, becomes a message and goes through CacheHandlers, as unary
// calls do; a test compares both ways on random frames.

#include <chrono>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "proto/wire/frame_operation.h"
#include "server/call/reply_writer.h"
#include "server/call/request.h"
#include "server/events/event_hub.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/frame_reply.h"
#include "store/store.h"

namespace ferrite {

// What an MGet of which only the first keys fit fails with.
absl::Status ReplyTooLarge(size_t fitting_keys, size_t of_keys);

// A frame that somebody has read and hands on, within a scope of this thread: whoever reads it next
// takes the operations instead of reading it once more.
class FrameInScope {
 public:
  // Both must stay in place. The operations are those of ReadFrame().
  FrameInScope(const Request& frame, std::vector<FrameOperation>* operations)
      : frame_(frame), operations_(*operations), before_(current_) {
    current_ = this;
  }
  ~FrameInScope() { current_ = before_; }
  FrameInScope(const FrameInScope&) = delete;
  FrameInScope& operator=(const FrameInScope&) = delete;

  // Whether there are any of this very frame, which has stayed as it was.
  static bool Take(const Request& frame, std::vector<FrameOperation>* operations) {
    FrameInScope* const current = current_;
    if (current == nullptr || &current->frame_ != &frame || current->taken_) return false;
    current->taken_ = true;
    operations->swap(current->operations_);
    return true;
  }

 private:
  static inline constinit thread_local FrameInScope* current_ = nullptr;

  const Request& frame_;
  std::vector<FrameOperation>& operations_;
  FrameInScope* const before_;
  bool taken_ = false;
};

// Thread-safe; called on threads that have counters (CounterRegistry::AttachThread).
class WireHandlers {
 public:
  using Clock = std::chrono::steady_clock;

  // All must outlive the handlers.
  WireHandlers(Store* store, EventHub* events, CacheHandlers* cache)
      : store_(*store), events_(*events), cache_(*cache) {}

  // When they fail, what was written to `*reply` means nothing.
  absl::Status Get(const Request& request, ReplyWriter* reply);
  absl::Status MGet(const Request& request, ReplyWriter* reply);
  // Executes one frame, which came at `received`, but for operations that are too late. An error
  // ends the stream; nothing was executed then.
  absl::Status Pipeline(const Request& frame, Clock::time_point received, ReplyWriter* reply);
  // The same in two parts, for who looks at the operations in between: replaces `*operations` by
  // those of a frame; and executes them.
  absl::Status ReadFrame(const Request& frame, std::vector<FrameOperation>* operations) const;
  void Execute(const std::vector<FrameOperation>& operations, Clock::time_point received,
               ReplyWriter* reply);
  // About how much more memory a frame takes in the store; 0 if it is malformed.
  size_t RoomFor(const Request& frame);

 private:
  struct FrameInHand {
    // Whether an operation that had so much time when the frame came has none left.
    bool IsLate(int64_t timeout_ms) const;

    const Clock::time_point received;
    FrameReply reply;
  };

  OperationLimits limits() const;
  // Execute operations that go to the store together, and append their outcomes.
  void ExecuteStep(std::span<const FrameOperation> operations, FrameInHand* frame);
  void Reads(std::span<const FrameOperation> operations, FrameReply* reply);
  void Writes(std::span<const FrameOperation> operations, FrameReply* reply);
  void Messages(std::span<const FrameOperation> operations, FrameReply* reply);
  // One after the other.
  void Mixed(std::span<const FrameOperation> operations, FrameInHand* frame);
  void ExecuteThoseInTime(std::span<const FrameOperation> operations, FrameInHand* frame);
  void ExecuteOne(const FrameOperation& operation, FrameInHand* frame);
  // For which a message has to be made.
  void ExecuteOther(const FrameOperation& operation, FrameInHand* frame);
  bool HasRoomForValueOf(const v1::Operation& request, const FrameReply& reply);
  // An operation that is too late.
  static void Refuse(FrameInHand* frame);

  Store& store_;
  EventHub& events_;
  CacheHandlers& cache_;
};

}  // namespace ferrite
