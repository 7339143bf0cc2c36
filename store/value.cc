#include "store/value.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "store/check.h"

namespace ferrite {

ValueBlock* ValueBlock::Create(std::string_view bytes) {
  void* memory = std::malloc(sizeof(ValueBlock) + bytes.size());
  FERRITE_CHECK(memory != nullptr);
  auto* block = new (memory) ValueBlock(bytes.size());
  std::memcpy(static_cast<void*>(block + 1), bytes.data(), bytes.size());
  return block;
}

void ValueBlock::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~ValueBlock();
  std::free(this);
}

void Value::Grow(size_t size) {
  capacity_ = std::max(2 * capacity_, RoundUpToWords(size));
  buffer_.reset(new char[capacity_]);
}

size_t ValueBlock::MemoryBytes(size_t value_size) {
  // What glibc adds and rounds to; a block of its own pages (from 128 KiB up) is rounded to pages.
  constexpr size_t kOwnPages = 128 * 1024;
  const size_t bytes = sizeof(ValueBlock) + value_size + sizeof(size_t);
  const size_t step = bytes < kOwnPages ? 16 : 4096;
  return (bytes + step - 1) / step * step;
}

}  // namespace ferrite
