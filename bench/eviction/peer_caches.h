#pragma once

#include <memory>
#include <string>

#include "bench/eviction/cache.h"

namespace ferrite::bench {

// Real servers, empty and limited to the memory in question, which listen on a Unix socket. Both
// are sent small batches of requests, one after the other.

// A script does the gets and sets of a batch in order, so that the batch changes nothing but the
// time that it takes. Redis makes room between scripts.
std::unique_ptr<Cache> ConnectRedis(const Trace& trace, const std::string& socket_path);

// A batch is one get of many keys, then the sets of those that were missed. memcached refuses
// values that it has no room for.
std::unique_ptr<Cache> ConnectMemcached(const Trace& trace, const std::string& socket_path);

}  // namespace ferrite::bench
