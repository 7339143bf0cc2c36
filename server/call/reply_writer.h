#pragma once

// A message under construction: bytes, as they will be sent, with large values left where they lie.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/message_lite.h"
#include "server/call/kept_blocks.h"
#include "store/value.h"

namespace ferrite {

// Values of at least this many bytes are sent from the store's memory, held by a reference until
// they are out. Below, a copy costs less than another piece (bench/results/serving.md). In a file
// of its own, in whose place bench/serving links others.
extern const size_t kMinSharedBytes;

// Bytes, and what keeps them. Call `release(owner)` once, on any thread, when they are out.
struct Piece {
  const char* data;
  size_t size;
  void (*release)(void* owner);
  void* owner;
};

// Reuse one for many messages: it keeps its memory. Not thread-safe.
class ReplyWriter {
 public:
  ReplyWriter() = default;
  ~ReplyWriter();
  ReplyWriter(const ReplyWriter&) = delete;
  ReplyWriter& operator=(const ReplyWriter&) = delete;

  // Has blocks of values counted there for as long as messages refer to them.
  void CountBlocksIn(std::shared_ptr<KeptBlocks> blocks) { blocks_ = std::move(blocks); }
  // Whom those that are appended from now on are charged to. It must live as long as KeptBlocks.
  void ChargeBlocksTo(KeptBlocks::Share* share) { share_ = share; }
  // Of the bytes appended so far, those that are not counted there.
  size_t uncounted_bytes() const { return size() - counted_bytes_; }

  // Bytes appended so far.
  size_t size() const { return closed_bytes_ + static_cast<size_t>(next_ - begin_); }

  // Room for `bytes` more, to be filled in at once.
  char* Append(size_t bytes) {
    if (bytes > static_cast<size_t>(end_ - next_)) [[unlikely]]
      Grow(bytes);
    char* const room = next_;
    next_ += bytes;
    return room;
  }

  // Appends the value: a copy, or a reference to it if it is large.
  void AppendValue(const Value& value);

  // Appends bytes that lie in what `owner`, a shared pointer, keeps: a copy, or a reference to it
  // if they are many. A template, as to convert the pointer costs two locked instructions.
  template <typename Owner>
  void AppendShared(std::string_view bytes, const Owner& owner) {
    if (bytes.size() < kMinSharedBytes) {
      std::memcpy(Append(bytes.size()), bytes.data(), bytes.size());
    } else {
      AppendReference(bytes, owner);
    }
  }

  // Appends a serialized message.
  void AppendMessage(const google::protobuf::MessageLite& message);

  // The message, if it is small and in one piece: copy it, and Clear(). Absent (null data)
  // otherwise.
  std::string_view small() const {
    constexpr size_t kMostSmallBytes = 4096;
    if (!pieces_.empty() || size() > kMostSmallBytes) return {};
    return {begin_, size()};
  }
  // Takes the message, whose pieces the caller has to release. They take no more memory than their
  // bytes, as they may wait for a client for long.
  std::vector<Piece> Take();

  // Forgets what was appended.
  void Clear();
  // Exchanges the messages, of which the same holds.
  void Swap(ReplyWriter* other);

 private:
  void AppendCounted(ValueBlock* block);
  void AppendReference(std::string_view bytes, const std::shared_ptr<const void>& owner);
  void Grow(size_t bytes);
  // Makes a piece of what was appended since the last one.
  void CloseChunk();

  std::shared_ptr<KeptBlocks> blocks_;  // null: nothing is counted
  KeptBlocks::Share* share_ = nullptr;
  std::vector<Piece> pieces_;
  size_t closed_bytes_ = 0;  // in pieces_
  size_t counted_bytes_ = 0;
  char* begin_ = nullptr;  // the chunk that is being filled, from malloc
  char* next_ = nullptr;
  char* end_ = nullptr;
};

// What was appended, in one piece. For tests.
std::string TakeBytes(ReplyWriter* writer);

}  // namespace ferrite
