#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/entries/entry.h"
#include "store/memory/page.h"

namespace ferrite {

// Keys that were copied out of the slots, with what it takes to find them again.
class KeyBatch {
 public:
  // An empty one that all walks of this thread reuse, so that they allocate nothing in the long
  // run. One at a time.
  static KeyBatch& OfThisThread() {
    thread_local KeyBatch batch;
    batch.Clear();
    return batch;
  }

  void Clear() {
    bytes_.clear();
    keys_.clear();
  }
  void Add(const Entry& entry) {
    const StoredKey& key = entry.key();
    const Page* page = Page::Of(&entry);
    keys_.push_back({bytes_.size(), key.bytes().size(), key.hash(), page->number,
                     page->SlotNumberOf(SlotOfEntry(entry)), entry.version()});
    bytes_.append(key.bytes());
  }
  size_t size() const { return keys_.size(); }
  LookupKey operator[](size_t i) const {
    return {std::string_view(bytes_).substr(keys_[i].offset, keys_[i].size), keys_[i].hash, 0};
  }
  // Where the entry lay and which version it had when its key was copied.
  uint32_t page(size_t i) const { return keys_[i].page; }
  uint32_t slot(size_t i) const { return keys_[i].slot; }
  uint64_t version(size_t i) const { return keys_[i].version; }

 private:
  struct Position {
    size_t offset;
    size_t size;
    uint32_t hash;
    uint32_t page;
    uint32_t slot;
    uint64_t version;
  };
  std::string bytes_;
  std::vector<Position> keys_;
};

}  // namespace ferrite
