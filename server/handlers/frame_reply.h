#pragma once

// The reply to a frame: one outcome after the other, within the limit for a reply.

#include <cstddef>

#include "absl/status/status.h"

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/get_response.h"
#include "server/call/limits.h"
#include "server/call/reply_writer.h"
#include "server/events/event_hub.h"
#include "server/handlers/read_result.h"
#include "store/operation.h"
#include "store/store.h"

namespace ferrite {

// Counts the outcomes that it writes. Not thread-safe; for threads that have counters.
class FrameReply {
 public:
  // Appends to `*writer`, which must outlive it.
  explicit FrameReply(ReplyWriter* writer) : writer_(*writer) {}

  // Whether a value of so many bytes can be sent. The first one may be as large as it is: as a call
  // of its own it would not be limited either.
  bool HasRoomFor(size_t value_bytes) const {
    return !has_value_ || writer_.size() + value_bytes + kMostAroundValueBytes <= kMaxReplyBytes;
  }

  // The outcome of a Get, whose value is taken; an error if there is no room for it.
  void AddRead(ReadResult* result) {
    const size_t value_bytes = result->value.view().size();
    if (value_bytes == 0 || HasRoomFor(value_bytes)) [[likely]] {
      WriteRead(kReadOutcome, *result, &writer_);
      has_value_ |= value_bytes != 0;
    } else {
      AddFull();
    }
    result->value.Clear();
  }
  // Of a Set without a condition.
  void AddSet(const SetResult& result, const Store& store);
  void AddDelete(const DeleteResult& result);
  void AddPublish(const PublishResult& result);
  // Any other outcome, which has a value or not.
  void Add(const v1::OperationResult& result, bool with_value);
  void AddError(const absl::Status& status);
  // There is no room for the outcome of an operation, which was not executed.
  void AddFull();

 private:
  ReplyWriter& writer_;
  bool has_value_ = false;
};

}  // namespace ferrite
