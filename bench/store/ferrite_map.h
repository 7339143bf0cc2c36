#pragma once

// ferrite::Store behind the verbs of bench/store/peer_maps.h.

#include <span>
#include <string_view>

#include "store/store.h"

namespace ferrite::bench {

class FerriteMap {
 public:
  using Buffer = ReadResult;

  bool Get(std::string_view key, ReadResult* result) {
    store_.Get(key, {}, result);
    return result->found;
  }

  void Set(std::string_view key, std::string_view value) { store_.Set(key, value); }

  size_t MGet(std::span<const std::string_view> keys, std::span<ReadResult> results) {
    store_.MGet(keys, results);
    size_t found = 0;
    for (const ReadResult& result : results) found += result.found;
    return found;
  }

  bool Incr(std::string_view key) {
    const IncrResult result = store_.Incr(key, {});
    return result.outcome == IncrOutcome::kDone && !result.created;
  }

 private:
  // The product's own defaults: that is what users get.
  Store store_{StoreOptions{}};
};

}  // namespace ferrite::bench
