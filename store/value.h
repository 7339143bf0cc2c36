#pragma once

// A value that was read from the store, and the shared block behind a large one.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
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

  // Thread-safe.
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  // Thread-safe. Frees the block when this was the last reference.
  void Unref();

  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size_}; }

  // What a block for `value_size` bytes takes from the system, its header and the allocator's
  // rounding included.
  static size_t MemoryBytes(size_t value_size);

 private:
  explicit ValueBlock(size_t size) : size_(size) {}
  ~ValueBlock() = default;

  std::atomic<uint32_t> references_{1};
  size_t size_;
};

// A value as a read returns it: a copy of a small one, a reference to a large one. It stays valid,
// and stays the same, whatever happens to the entry. Reuse one object for many reads and its buffer
// is reused too. Not thread-safe.
class Value {
 public:
  Value() = default;
  ~Value() { Clear(); }
  Value(Value&& other) noexcept
      : copy_(std::move(other.copy_)), block_(std::exchange(other.block_, nullptr)) {}
  Value& operator=(Value&& other) noexcept {
    std::swap(copy_, other.copy_);
    std::swap(block_, other.block_);
    return *this;
  }

  std::string_view view() const {
    return block_ != nullptr ? block_->bytes() : std::string_view(copy_);
  }

  void Clear() {
    if (block_ != nullptr) std::exchange(block_, nullptr)->Unref();
    copy_.clear();
  }

  // For the store: makes this a copy of `bytes`, or a new reference to `block`.
  void Assign(std::string_view bytes) {
    Clear();
    copy_.assign(bytes);
  }
  void Assign(ValueBlock* block) {
    block->Ref();
    Clear();
    block_ = block;
  }

 private:
  std::string copy_;
  ValueBlock* block_ = nullptr;
};

}  // namespace ferrite
