#include "store/entries/hint_table.h"

#include <algorithm>

namespace ferrite {

// The whole table is there from the start as addresses; memory comes to them as they are used.
HintTable::HintTable() : cells_(static_cast<Cell*>(MapForHuge(kMaxSets * kCells * sizeof(Cell)))) {}

HintTable::~HintTable() { Unmap(cells_, kMaxSets * kCells * sizeof(Cell)); }

void HintTable::Put(uint32_t hash, SlotRef ref) {
  if (ref >= kEndRef) return;
  Cell* set = SetOf(hash);
  const uint32_t hint = TagOf(hash) | ref;
  // In a full set any other hint may go, and each time another one, so that two keys do not take
  // turns in one cell for ever.
  thread_local uint32_t victim = 0;
  Cell* place = &set[++victim % kCells];
  for (Cell* cell = set; cell != set + kCells; ++cell) {
    const uint32_t there = cell->load(std::memory_order_relaxed);
    if (there == hint) return;
    if (there == 0) place = cell;
  }
  place->store(hint, std::memory_order_relaxed);
}

void HintTable::Remove(uint32_t hash, SlotRef ref) { RemoveFrom(SetOf(hash), hash, ref); }

void HintTable::Move(uint32_t hash, SlotRef ref) {
  const uint32_t half = set_mask_.load(std::memory_order_relaxed) / 2;
  Cell* before = SetAt(hash >> kTagBits & half);
  if (before != SetOf(hash)) RemoveFrom(before, hash, ref);
  Put(hash, ref);
}

void HintTable::RemoveFrom(Cell* set, uint32_t hash, SlotRef ref) {
  if (ref >= kEndRef) return;
  const uint32_t hint = TagOf(hash) | ref;
  for (Cell* cell = set; cell != set + kCells; ++cell) {
    if (cell->load(std::memory_order_relaxed) != hint) continue;
    uint32_t there = hint;
    cell->compare_exchange_strong(there, 0, std::memory_order_relaxed);
    return;
  }
}

size_t HintTable::GrowFor(size_t entries) {
  uint32_t mask = set_mask_.load(std::memory_order_relaxed);
  const size_t cells = (size_t{mask} + 1) * kCells;
  if (entries <= cells / 4 * 3 || size_t{mask} + 1 >= kMaxSets) return 0;
  const bool grown =
      set_mask_.compare_exchange_strong(mask, 2 * mask + 1, std::memory_order_relaxed);
  return grown ? cells * sizeof(Cell) : 0;
}

void HintTable::AddPart(size_t part, size_t parts, HugePageQueue* huge) {
  char* const begin = reinterpret_cast<char*>(cells_);
  for (size_t offset = part * kHugePageBytes; offset < memory_bytes();
       offset += parts * kHugePageBytes) {
    huge->Add(begin + offset, std::min(kHugePageBytes, memory_bytes() - offset));
  }
}

}  // namespace ferrite
