#pragma once

#include <cstddef>

#include "store/entries/entry.h"
#include "store/memory/page.h"
#include "store/memory/size_class.h"
#include "store/value.h"

namespace ferrite::bench {

// What ferrite::Store charges for an entry, so that other policies can be given the same memory
// for the same entries: its share of a page, its block if the value is large, and its share of the
// hash table, which a filled store tells.
class EntryCost {
 public:
  explicit EntryCost(double table_bytes_per_entry) : table_bytes_(table_bytes_per_entry) {}

  double Of(size_t key_bytes, size_t value_bytes) const {
    const bool is_inline = Entry::FitsInline(key_bytes, value_bytes);
    const size_t slot =
        SlotBytes(SizeClassOf(Entry::SlotBytesFor(key_bytes, is_inline ? value_bytes : 0)));
    const size_t slots_per_page = (kPageBytes - Page::kFirstSlotOffset) / slot;
    const double page_share = static_cast<double>(kPageBytes) / static_cast<double>(slots_per_page);
    const size_t block = is_inline ? 0 : ValueBlock::MemoryBytes(value_bytes);
    return page_share + static_cast<double>(block) + table_bytes_;
  }

 private:
  double table_bytes_;
};

}  // namespace ferrite::bench
