#pragma once

// ferrite::Store behind the verbs of bench/store/peer_maps.h.

#include <span>
#include <string_view>
#include <vector>

#include "bench/store/sweeper.h"
#include "store/store.h"

namespace ferrite::bench {

class FerriteMap {
 public:
  using Buffer = ReadResult;
  struct Batch {
    explicit Batch(size_t size) : values(size), items(size), stored(size), deleted(size) {}
    std::vector<ReadResult> values;
    std::vector<SetItem> items;
    std::vector<SetResult> stored;
    std::vector<DeleteResult> deleted;
  };

  bool Get(std::string_view key, ReadResult* result) {
    store_.Get(key, {}, result);
    return result->found;
  }

  void Set(std::string_view key, std::string_view value) { store_.Set(key, value); }

  size_t MGet(std::span<const std::string_view> keys, Batch* batch) {
    store_.MGet(keys, batch->values);
    size_t found = 0;
    for (const ReadResult& result : batch->values) found += result.found;
    return found;
  }

  void MSet(std::span<const std::string_view> keys, std::string_view value, Batch* batch) {
    for (size_t i = 0; i < keys.size(); ++i) {
      batch->items[i].key = keys[i];
      batch->items[i].value = value;
    }
    store_.MSet(batch->items, batch->stored);
  }

  // How many were there.
  size_t MDelete(std::span<const std::string_view> keys, Batch* batch) {
    store_.MDelete(keys, batch->deleted);
    size_t deleted = 0;
    for (const DeleteResult& result : batch->deleted) deleted += result.deleted;
    return deleted;
  }

  bool Incr(std::string_view key) {
    const IncrResult result = store_.Incr(key, {});
    return result.outcome == IncrOutcome::kDone && !result.created;
  }

 private:
  // The product's own defaults: that is what users get.
  Store store_{StoreOptions{}};
  Sweeper sweeper_{&store_};  // as the server has it
};

}  // namespace ferrite::bench
