#pragma once

// A value that was read from the store.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "store/memory/value_block.h"

namespace ferrite {

// A value as a read returns it: a copy of a small one, a reference to a large one. It stays valid,
// and stays the same, whatever happens to the entry. Reuse one object for many reads and its buffer
// is reused too. Not thread-safe.
class Value {
 public:
  Value() = default;
  ~Value() { Clear(); }
  Value(Value&& other) noexcept { *this = std::move(other); }
  Value& operator=(Value&& other) noexcept {
    std::swap(buffer_, other.buffer_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
    std::swap(block_, other.block_);
    return *this;
  }

  std::string_view view() const {
    return block_ != nullptr ? block_->bytes() : std::string_view(buffer_.get(), size_);
  }

  // The block that a large value is a reference to; null for a small one. Ref() it to keep it.
  ValueBlock* block() const { return block_; }

  void Clear() {
    if (block_ != nullptr) [[unlikely]]
      std::exchange(block_, nullptr)->Unref();
    size_ = 0;
  }

  // Makes this a copy of `bytes`.
  void Assign(std::string_view bytes) {
    Resize(bytes.size());
    if (!bytes.empty()) std::memcpy(data(), bytes.data(), bytes.size());
  }
  // For the store: makes this a new reference to `block`.
  void Assign(ValueBlock* block) {
    block->Ref();
    Clear();
    block_ = block;
  }
  // For the store: makes this `size` bytes of undefined content, to be written through data().
  void Resize(size_t size) {
    Clear();
    if (size > capacity_) [[unlikely]]
      Grow(size);
    size_ = size;
  }
  // As Resize if that neither takes memory nor gives any back; else false, and nothing is changed.
  bool TryResize(size_t size) {
    if (block_ != nullptr || size > capacity_) [[unlikely]]
      return false;
    size_ = size;
    return true;
  }
  char* data() { return buffer_.get(); }

 private:
  void Grow(size_t size);

  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  ValueBlock* block_ = nullptr;
};

}  // namespace ferrite
