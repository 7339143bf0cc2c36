#include "server/admission/inflight_budget.h"

namespace ferrite {

Admission InflightBudget::Take(uint64_t operations, uint64_t bytes) {
  const uint64_t packed = Packed(operations, bytes);
  const uint64_t before = used_.fetch_add(packed, std::memory_order_relaxed);
  if (before >> kByteBits >= limits_.operations) {
    used_.fetch_sub(packed, std::memory_order_relaxed);
    return Admission::kNoOperations;
  }
  if ((before & kByteMask) >= limits_.bytes) {
    used_.fetch_sub(packed, std::memory_order_relaxed);
    return Admission::kNoBytes;
  }
  return Admission::kAdmitted;
}

}  // namespace ferrite
