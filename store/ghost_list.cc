#include "store/ghost_list.h"

#include <algorithm>
#include <bit>

namespace ferrite {

void GhostList::Reset(size_t capacity) {
  capacity_ = capacity;
  now_ = 0;
  cells_.assign(std::max(std::bit_ceil(capacity), kWays), Cell{});
}

GhostList::Cell* GhostList::SetOf(uint32_t hash) {
  const uint32_t spread = hash * 0x9E3779B1u;  // the low bits of the hash also choose the bucket
  return &cells_[(spread >> 7 & (cells_.size() / kWays - 1)) * kWays];
}

void GhostList::Add(uint32_t hash) {
  if (cells_.empty()) return;
  if (++now_ == 0) now_ = 1;
  Cell* set = SetOf(hash);
  Cell* oldest = std::min_element(set, set + kWays, [this](const Cell& a, const Cell& b) {
    return Fresh(a) < Fresh(b) || (Fresh(a) == Fresh(b) && now_ - a.time > now_ - b.time);
  });
  *oldest = {hash, now_};
}

bool GhostList::Take(uint32_t hash) {
  if (cells_.empty()) return false;
  Cell* set = SetOf(hash);
  for (Cell* cell = set; cell != set + kWays; ++cell) {
    if (cell->hash == hash && Fresh(*cell)) {
      cell->time = 0;
      return true;
    }
  }
  return false;
}

}  // namespace ferrite
