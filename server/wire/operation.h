#pragma once

// The operations of a frame (ferrite.v1.PipelineRequest), as far as they have to be understood
// without making messages of them.

#include <cstdint>
#include <string_view>
#include <vector>

namespace ferrite {

// All but `kind` points into the frame.
struct FrameOperation {
  enum class Kind : uint8_t {
    kGet,      // of `key`, nothing else asked
    kSet,      // of `key` to `value`, perhaps with a time to live
    kDelete,   // of `key`, unconditional
    kPublish,  // of `value` to the channel `key`
    kOther,    // `message` tells; also what may be wrong in some way
  };
  Kind kind = Kind::kOther;
  int64_t ttl_ms = 0;  // 0: none
  // When kOther, only a hint at what memory will be needed. Always 1 to kMaxKeyBytes long.
  std::string_view key;
  std::string_view value;
  // A serialized Operation.
  std::string_view message;
};

// Which of the simple kinds a serialized Operation is, if any.
FrameOperation ParseOperation(std::string_view message, size_t max_value_bytes);

// Replaces `*operations` by those of a serialized PipelineRequest, but no more than `limit` + 1.
// False if it is malformed as far as it was read.
bool ParseFrame(std::string_view frame, size_t limit, size_t max_value_bytes,
                std::vector<FrameOperation>* operations);

}  // namespace ferrite
