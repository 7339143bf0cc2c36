#pragma once

// What a trace is replayed against.

#include <cstddef>
#include <span>
#include <vector>

#include "bench/eviction/trace.h"

namespace ferrite::bench {

class Cache {
 public:
  Cache() = default;
  virtual ~Cache() = default;
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // Asks for each key in turn and stores the key of each miss; returns how many misses there were.
  // `requests` follow those of the call before in the trace that the cache was made for.
  virtual size_t Replay(std::span<const Request> requests) = 0;
};

// Misses among the requests after the warm-up.
inline size_t CountMisses(Cache* cache, const Trace& trace, size_t warm_up) {
  const std::span<const Request> requests(trace.requests);
  cache->Replay(requests.first(warm_up));
  return cache->Replay(requests.subspan(warm_up));
}

}  // namespace ferrite::bench
