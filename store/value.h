#pragma once

// A value that was read from the store, and the shared block behind a large one.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace ferrite {

// An immutable, reference-counted array of bytes. Created with one reference.
class ValueBlock {
 public:
  // Copies `bytes` into a new block. Ends the process when the system has no memory.
  static ValueBlock* Create(std::string_view bytes);

  ValueBlock(const ValueBlock&) = delete;
  ValueBlock& operator=(const ValueBlock&) = delete;

  // Thread-safe. Releases, for a reference that is given to a thread in a way that the thread
  // sanitizer cannot see.
  void Ref() { references_.fetch_add(1, std::memory_order_release); }
  // Thread-safe. Frees the block when this was the last reference.
  void Unref();

  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size_}; }

  // What a block for `value_size` bytes takes from the system, its header and the heap's rounding
  // included.
  static size_t MemoryBytes(size_t value_size);
  // What the next such block would take from the system: nothing where the heap has room for it.
  static size_t NewMemoryBytes(size_t value_size);

 private:
  explicit ValueBlock(size_t size) : size_(size) {}
  ~ValueBlock() = default;

  std::atomic<uint32_t> references_{1};
  size_t size_;
};

struct BlockUnref {
  void operator()(ValueBlock* block) const { block->Unref(); }
};
// A reference to a block, or none.
using BlockRef = std::unique_ptr<ValueBlock, BlockUnref>;

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
  // The same if that takes no memory and gives none back. False, and nothing is changed, if not.
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
