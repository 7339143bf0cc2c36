#pragma once

// Operations that a call has other nodes execute, and what became of them.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/frame_operation.h"
#include "server/call/request.h"
#include "server/engine/waker.h"

namespace ferrite {

// One of them. Its bytes lie elsewhere.
struct LaneOperation {
  using Clock = std::chrono::steady_clock;

  // A serialized Operation, if `field` is 0; otherwise what is that field of one: a request, or the
  // key that is all of a request. What it says of its time is overruled.
  std::string_view body;
  int field = 0;
  bool body_is_key = false;
  bool has_request_id = false;

  Clock::time_point deadline = Clock::time_point::max();  // the caller's
  // How long its lane waits for it: until a little before the deadline, so that its call can still
  // answer with what else it has. Set by the lane.
  Clock::time_point wait_until = Clock::time_point::max();

  // A serialized OperationResult, once its parcel has a reply, which keeps it.
  std::string_view result;

  // As a serialized Operation. What knows its terms itself, as `field` is 0, has these after them:
  // of two, the last one counts.
  size_t Size(const OperationTerms& terms) const;
  void Write(const OperationTerms& terms, FieldWriter* writer) const;
};

class ForwardedOperations;

// Those of one call that go to one node at a time: they travel in one frame, and end together.
struct LaneParcel {
  using Clock = LaneOperation::Clock;

  absl::InlinedVector<LaneOperation, 1> operations;
  size_t bytes = 0;  // of their bodies
  // The body of the only one. If it is empty they lie in the request of the call, and so are there
  // only until it is abandoned.
  std::string message;
  // How often these were sent before. If they were, they travel alone, so that the reply has room
  // for the first of them, whatever its size.
  uint32_t round = 0;
  // The last of those of its operations. Set by the lane.
  Clock::time_point wait_until = Clock::time_point::max();

  // The outcome: why there is no reply, or what has the results.
  bool done = false;
  absl::Status status;
  std::shared_ptr<const Request> reply;

  ForwardedOperations* of = nullptr;

  void Add(const LaneOperation& operation) {
    operations.push_back(operation);
    bytes += operation.body.size();
  }
  bool MayShareFrameWith(const LaneParcel& other) const {
    return round == other.round && (round == 0 || of == other.of);
  }

  void End(absl::Status why);
  void End(std::shared_ptr<const Request> in_reply);
};

// Those of one call, which is woken when all have ended. A lane shares them, so they may outlive
// the call. Used on one thread.
class ForwardedOperations : public std::enable_shared_from_this<ForwardedOperations> {
 public:
  explicit ForwardedOperations(Waker waker, std::string_view traceparent = {})
      : waker_(std::move(waker)), traceparent_(traceparent) {}
  // Whose the request_ids of its operations are. Before they are sent.
  void SetScope(std::string scope) { scope_ = std::move(scope); }

  // A parcel to be filled, which is under way until it ends.
  LaneParcel* Begin(uint32_t round = 0);
  // The same with one operation, which it keeps.
  LaneParcel* Begin(std::string message, LaneOperation::Clock::time_point deadline);
  // Has one that has ended, and was not executed, go once more; it is under way again.
  void Again(LaneParcel* parcel);
  // For a lane.
  std::shared_ptr<LaneParcel> Share(LaneParcel* parcel) { return {shared_from_this(), parcel}; }

  bool all_ended() const { return under_way_ == 0; }
  // The call's, for operations that do not say theirs.
  std::string_view traceparent() const { return traceparent_; }
  std::string_view request_scope() const { return scope_; }

  // Nobody waits for them any more: those that were not sent must not be.
  void Abandon() { abandoned_ = true; }
  bool abandoned() const { return abandoned_; }

 private:
  friend struct LaneParcel;

  void EndOne();

  const Waker waker_;
  const std::string traceparent_;
  std::string scope_;
  std::list<LaneParcel> parcels_;  // which stay in place
  size_t under_way_ = 0;
  bool abandoned_ = false;
};

}  // namespace ferrite
