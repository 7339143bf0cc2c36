#include "store/entries/node_memory.h"

#include <cstdlib>

#include "base/check.h"

namespace ferrite {
namespace {

// Bucket arrays from this size on lie in huge pages; a map's first few are small.
constexpr size_t kMinHugeTableBytes = size_t{16} << 10;

}  // namespace

void* NodeMemory::AllocateBuckets(size_t bytes) {
  budget_.table_bytes.fetch_add(bytes, std::memory_order_relaxed);
  if (bytes >= kMinHugeTableBytes) return tables_.Allocate(bytes);
  void* const buckets = std::malloc(bytes);
  FERRITE_CHECK(buckets != nullptr);
  return buckets;
}

void NodeMemory::FreeBuckets(void* buckets, size_t bytes) {
  budget_.table_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  if (bytes < kMinHugeTableBytes) std::free(buckets);
}

}  // namespace ferrite
