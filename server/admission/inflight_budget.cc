#include "server/admission/inflight_budget.h"

namespace ferrite {

Admission InflightBudget::Take(Share* share, uint64_t operations, uint64_t bytes) {
  const uint64_t packed = Packed(operations, bytes);
  const uint64_t used = used_.fetch_add(packed, std::memory_order_relaxed);
  const uint64_t held = share->fetch_add(packed, std::memory_order_relaxed);
  const Admission admission = Judge(used, held);
  if (admission != Admission::kAdmitted) GiveBack(share, operations, bytes);
  return admission;
}

Admission InflightBudget::Judge(uint64_t used, uint64_t held) const {
  const uint64_t operations = used >> kByteBits;
  const uint64_t bytes = (used & kByteMask) + lasting_->blocks.bytes();
  if (operations >= limits_.operations) return Admission::kNoOperations;
  if (bytes >= limits_.bytes) return Admission::kNoBytes;
  if (!lasting_->shares.Allows(held >> kByteBits, operations, limits_.operations) ||
      !lasting_->shares.Allows(held & kByteMask, bytes, limits_.bytes)) {
    return Admission::kShareTaken;
  }
  return Admission::kAdmitted;
}

}  // namespace ferrite
