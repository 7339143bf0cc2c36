#pragma once

// A reply under construction: bytes, as gRPC sends them, with large values left where they lie.

#include <grpc/slice.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "store/value.h"

namespace ferrite {

// Values of at least this many bytes are sent from the store's memory, held by a reference until
// they are out. Below, a copy costs less than another slice in gRPC (bench/results/serving.md).
#ifndef FERRITE_MIN_SHARED_BYTES  // bench/serving compares others
#define FERRITE_MIN_SHARED_BYTES (size_t{16} << 10)
#endif
inline constexpr size_t kMinSharedBytes = FERRITE_MIN_SHARED_BYTES;

// Reuse one for many replies. Not thread-safe.
class ReplyWriter {
 public:
  ReplyWriter() = default;
  ~ReplyWriter() { Clear(); }
  ReplyWriter(const ReplyWriter&) = delete;
  ReplyWriter& operator=(const ReplyWriter&) = delete;

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

  // Makes the reply of what was appended, and begins with the next. None of this fails.
  grpc::ByteBuffer Take();

  // Forgets what was appended.
  void Clear();

 private:
  void AppendReference(std::string_view bytes, const std::shared_ptr<const void>& owner);
  void Grow(size_t bytes);
  // Makes a slice of what was appended since the last one.
  void CloseChunk();

  std::vector<grpc::Slice> slices_;
  size_t closed_bytes_ = 0;  // in slices_
  grpc_slice chunk_;         // valid if begin_ is set
  char* begin_ = nullptr;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

}  // namespace ferrite
