#include "store/entries/entry.h"

namespace ferrite {

StoredKey::StoredKey(const LookupKey& key)
    : hash_(key.hash), size_(static_cast<uint16_t>(key.bytes.size())), size_class_(key.size_class) {
  StoreWords(reinterpret_cast<char*>(this) + sizeof(EntryPair), key.bytes.data(), key.bytes.size());
}

void Entry::set_expires_at_ms(int64_t ms) {
  const uint64_t value_bits = state_.load(std::memory_order_relaxed) & kValueBits;
  state_.store(static_cast<uint64_t>(ms) << kExpiryShift | value_bits, std::memory_order_seq_cst);
}

void Entry::CopyValueTo(Value* value) const {
  if (HasBlock()) {
    value->Assign(block());
  } else {
    const std::string_view bytes = this->value();
    value->Resize(bytes.size());
    CopyShared(value->data(), bytes.data(), bytes.size());
  }
}

ValueBlock* Entry::SetBlock(ValueBlock* block) {
  ValueBlock* const old = HasBlock() ? this->block() : nullptr;
  SetNotLive();
  StoreWords(value_area(), reinterpret_cast<const char*>(&block), sizeof(block));
  const size_t units =
      std::min((block->bytes().size() + kBlockUnit - 1) / kBlockUnit, kMaxBlockUnits);
  SetValueBits(kBlockBit | units << kSizeShift);
  return old;
}

}  // namespace ferrite
