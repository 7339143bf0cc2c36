#pragma once

// The shared block behind a large value.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace ferrite {

// An immutable, reference-counted array of bytes. Created with one reference.
class ValueBlock {
 public:
  // Copies `bytes` into a new block. Ends the process when the system has no memory.
  static ValueBlock* Create(std::string_view bytes);
  // A block of undefined content, to be written through data() before anyone else gets to see it.
  static ValueBlock* CreateUnfilled(size_t size);

  ValueBlock(const ValueBlock&) = delete;
  ValueBlock& operator=(const ValueBlock&) = delete;

  // Thread-safe. Releases, for a reference that is given to a thread in a way that the thread
  // sanitizer cannot see.
  void Ref() { references_.fetch_add(1, std::memory_order_release); }
  // Thread-safe. Frees the block when this was the last reference.
  void Unref();

  char* data() { return reinterpret_cast<char*>(this + 1); }
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

}  // namespace ferrite
