#pragma once

#include <string>

#include "bench/eviction/cache.h"
#include "store/store.h"

namespace ferrite::bench {

// A real store within `memory_bytes`, all its overhead included.
class StoreCache : public Cache {
 public:
  StoreCache(const Trace& trace, size_t memory_bytes, size_t shards)
      : trace_(trace), store_({.shards = shards, .max_memory_bytes = memory_bytes}) {}

  size_t Replay(std::span<const Request> requests) override {
    size_t misses = 0;
    ReadResult result;
    std::string value;
    for (const Request& request : requests) {
      store_.Get(trace_.key(request), {}, &result);
      if (result.found) continue;
      ++misses;
      value.resize(request.value_bytes, 'v');
      store_.Set(trace_.key(request), value);
    }
    return misses;
  }

  StoreStats Stats() const { return store_.Stats(); }

 private:
  const Trace& trace_;
  Store store_;
};

}  // namespace ferrite::bench
