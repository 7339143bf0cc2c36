#pragma once

// Operations that a call has other nodes execute, and what became of them.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "server/call/request.h"
#include "server/engine/waker.h"

namespace ferrite {

class ForwardedOperations;

// One of them. Used on one thread.
struct LaneOperation {
  using Clock = std::chrono::steady_clock;

  // A serialized Operation. What it says of its time is overruled.
  std::string message;
  Clock::time_point deadline = Clock::time_point::max();  // the caller's
  // How long its lane waits for it: until a little before the deadline, so that its call can still
  // answer with what else it has. Set by the lane.
  Clock::time_point wait_until = Clock::time_point::max();
  // How often it was sent before. If it was, it travels only with those of its call that are sent
  // again with it, so that the reply has room for the first of them, whatever its size.
  uint32_t round = 0;

  // The outcome: why there is no reply, or a serialized OperationResult and what keeps it.
  bool done = false;
  absl::Status status;
  std::string_view result;
  std::shared_ptr<const Request> reply;

  ForwardedOperations* of = nullptr;

  bool MayShareFrameWith(const LaneOperation& other) const {
    return round == other.round && (round == 0 || of == other.of);
  }

  void End(absl::Status why);
  void End(std::string_view outcome, std::shared_ptr<const Request> in_reply);
};

// Those of one call, which is woken when all have ended. A lane shares them, so they may outlive
// the call. Used on one thread.
class ForwardedOperations : public std::enable_shared_from_this<ForwardedOperations> {
 public:
  explicit ForwardedOperations(Waker waker) : waker_(std::move(waker)) {}

  // Adds one, which is under way until it ends.
  std::shared_ptr<LaneOperation> Add(std::string message,
                                     LaneOperation::Clock::time_point deadline);
  // Has one that has ended, and was not executed, go once more, in a round of which there was none;
  // it is under way again.
  std::shared_ptr<LaneOperation> Again(size_t index, uint32_t round);

  const LaneOperation& operator[](size_t index) const { return operations_[index]; }
  size_t size() const { return operations_.size(); }
  bool all_ended() const { return under_way_ == 0; }

  // Nobody waits for them any more: those that were not sent need not be.
  void Abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }

 private:
  friend struct LaneOperation;

  std::shared_ptr<LaneOperation> Share(LaneOperation* operation) {
    return {shared_from_this(), operation};
  }
  void EndOne();

  const Waker waker_;
  std::deque<LaneOperation> operations_;
  size_t under_way_ = 0;
  bool abandoned_ = false;
};

}  // namespace ferrite
