#include "store/entry.h"

#include <algorithm>
#include <cstring>

#include "store/check.h"

namespace ferrite {
namespace {

// Nodes up to this size keep their value inline: beyond it a copy under the lock costs more than a
// reference.
constexpr size_t kMaxInlineSlotBytes = 1024;

}  // namespace

StoredKey::StoredKey(const LookupKey& key)
    : hash_(key.hash), size_(static_cast<uint16_t>(key.bytes.size())), size_class_(key.size_class) {
  std::memcpy(reinterpret_cast<char*>(this) + sizeof(EntryPair), key.bytes.data(),
              key.bytes.size());
}

Entry::~Entry() {
  if (HasBlock()) block()->Unref();
}

size_t Entry::SlotBytesFor(size_t key_size, size_t value_size) {
  return kNodeBytes + key_size + std::max(value_size, sizeof(ValueBlock*));
}

bool Entry::FitsInline(size_t key_size, size_t value_size) {
  return SlotBytesFor(key_size, value_size) <= kMaxInlineSlotBytes;
}

void Entry::set_expires_at_ms(int64_t ms) {
  const uint64_t value_bits = state_.load(std::memory_order_relaxed) & kValueBits;
  state_.store(static_cast<uint64_t>(ms) << kExpiryShift | value_bits, std::memory_order_seq_cst);
}

void Entry::SetValueBits(uint64_t bits) {
  state_.store((state_.load(std::memory_order_relaxed) & ~kValueBits) | bits,
               std::memory_order_relaxed);
}

ValueBlock* Entry::block() const {
  ValueBlock* block;
  std::memcpy(&block, value_area(), sizeof(block));
  return block;
}

void Entry::CopyValueTo(Value* value) const {
  if (HasBlock()) {
    value->Assign(block());
  } else {
    value->Assign(this->value());
  }
}

ValueBlock* Entry::SetInline(std::string_view bytes) {
  FERRITE_CHECK(bytes.size() <= inline_capacity());
  ValueBlock* const old = HasBlock() ? block() : nullptr;
  std::memcpy(value_area(), bytes.data(), bytes.size());
  SetValueBits(bytes.size() << kSizeShift);
  return old;
}

ValueBlock* Entry::SetBlock(ValueBlock* block) {
  ValueBlock* const old = HasBlock() ? this->block() : nullptr;
  std::memcpy(value_area(), &block, sizeof(block));
  const size_t units =
      std::min((block->bytes().size() + kBlockUnit - 1) / kBlockUnit, kMaxBlockUnits);
  SetValueBits(kBlockBit | units << kSizeShift);
  return old;
}

}  // namespace ferrite
