#include "store/memory/page.h"

#include <bit>

namespace ferrite {

uint32_t Page::NextLive(uint32_t slot) const {
  while (slot < slot_count) {
    const uint64_t rest = live_bits[slot / 64] >> (slot % 64);
    if (rest != 0) return slot + static_cast<uint32_t>(std::countr_zero(rest));
    slot = (slot / 64 + 1) * 64;
  }
  return slot_count;
}

}  // namespace ferrite
