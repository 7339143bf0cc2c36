#include "store/memory/page_table.h"

#include <sys/mman.h>

#include "base/check.h"

namespace ferrite {

// Room for the most pages that a shard may have; memory comes to it as it is used.
PageTable::PageTable() {
  void* mapped = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  FERRITE_CHECK(mapped != MAP_FAILED);
  words_ = static_cast<std::atomic<uintptr_t>*>(mapped);
}

PageTable::~PageTable() { munmap(words_, kBytes); }

}  // namespace ferrite
