#include "store/memory/value_block.h"

#include <cstring>
#include <new>

#include "store/memory/block_heap.h"

namespace ferrite {

static_assert(sizeof(ValueBlock) == block_shapes::kValueHeaderBytes);

ValueBlock* ValueBlock::CreateUnfilled(size_t size) {
  return new (BlockHeap::Instance().Allocate(sizeof(ValueBlock) + size)) ValueBlock(size);
}

ValueBlock* ValueBlock::Create(std::string_view bytes) {
  ValueBlock* const block = CreateUnfilled(bytes.size());
  std::memcpy(block->data(), bytes.data(), bytes.size());
  return block;
}

void ValueBlock::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const size_t bytes = sizeof(ValueBlock) + size_;
  this->~ValueBlock();
  BlockHeap::Instance().Free(this, bytes);
}

size_t ValueBlock::MemoryBytes(size_t value_size) {
  return BlockHeap::MemoryBytes(sizeof(ValueBlock) + value_size);
}

size_t ValueBlock::NewMemoryBytes(size_t value_size) {
  return BlockHeap::Instance().NewBytes(sizeof(ValueBlock) + value_size);
}

}  // namespace ferrite
