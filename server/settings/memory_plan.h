#pragma once

// What a server may take of the memory that there is. Every limit is by default a share of what the
// program itself leaves, so that their sum stays below what there is, whatever that is.

#include <cstdint>
#include <string>
#include <vector>

#include "server/guard/frame_limits.h"
#include "server/settings/settings.h"

namespace ferrite {

// The program: its data, what the allocator and gRPC keep, and what the store keeps beside its
// limit (store.h). Not its code, 18 MiB of files that the kernel takes back where memory is short.
inline constexpr uint64_t kProgramBytes = uint64_t{16} << 20;
// Requests on their way, for which gRPC has no limit of their own before all of a message is there.
inline constexpr uint64_t kOnTheirWayBytes = uint64_t{16} << 20;
// For each serving thread: what it makes of the request at hand, and what the budget of work in
// progress admits last (inflight_budget.h).
inline constexpr uint64_t kThreadBytes = uint64_t{4} << 20;
// Measured, without calls; and what TLS adds, which are buffers of OpenSSL and gRPC.
inline constexpr uint64_t kConnectionBytes = uint64_t{17} << 10;
inline constexpr uint64_t kTlsBytes = uint64_t{83} << 10;
// Measured, with nothing that happens on it.
inline constexpr uint64_t kStreamBytes = uint64_t{15} << 10;
// Measured, without events that wait but a small one, for which there always is room.
inline constexpr uint64_t kSubscriptionBytes = uint64_t{24} << 10;

// What there is to share out: 0 if the program needs all of it.
uint64_t ShareableBytes(uint64_t memory_bytes, int threads);

// One for each core, and no more than leave each some memory.
int DefaultThreads(const Machine& machine);

// How many of something that takes `each_bytes` fit into so many percent, 1 to `most`.
uint64_t DefaultCount(uint64_t shareable_bytes, uint64_t percent, uint64_t each_bytes,
                      uint64_t most);

// What each connection takes.
inline uint64_t ConnectionBytes(bool over_tls) {
  return kConnectionBytes + (over_tls ? kTlsBytes : 0);
}

struct MemoryUse {
  std::string what;  // "max-memory"
  uint64_t bytes = 0;
};

// What gRPC may hold: connections, requests in progress, and those on their way.
uint64_t GrpcBytes(const Settings& settings);

// What clients may send before their connections are cut.
FrameLimits LimitsOfFrames(const Settings& settings);

// What answers of other nodes may take that were not passed on yet.
uint64_t RepliesOfPeersBytes(const Settings& settings);

// All that may be in use at once, part by part. Without a limit on memory, entries are left out.
std::vector<MemoryUse> MemoryPlan(const Settings& settings);
uint64_t Sum(const std::vector<MemoryUse>& plan);

}  // namespace ferrite
