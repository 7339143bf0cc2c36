#include "server/settings/memory_plan.h"

#include <algorithm>

#include "server/slowlog/slow_call_entry.h"

namespace ferrite {
namespace {

// Beyond so many, a thread needs more memory than it is worth.
constexpr uint64_t kMemoryPerThread = uint64_t{64} << 20;

// By how much the memory for entries may exceed its limit (README.md): a tenth.
constexpr uint64_t kStoreExcess = 10;

}  // namespace

uint64_t ShareableBytes(uint64_t memory_bytes, int threads) {
  const uint64_t program =
      kProgramBytes + kOnTheirWayBytes + static_cast<uint64_t>(threads) * kThreadBytes;
  return memory_bytes - std::min(memory_bytes, program);
}

int DefaultThreads(const Machine& machine) {
  const uint64_t by_memory = machine.memory_bytes.amount / kMemoryPerThread;
  return static_cast<int>(std::clamp<uint64_t>(std::min(machine.cores.amount, by_memory), 1, 1024));
}

uint64_t DefaultCount(uint64_t shareable_bytes, uint64_t percent, uint64_t each_bytes,
                      uint64_t most) {
  return std::clamp<uint64_t>(shareable_bytes / 100 * percent / each_bytes, 1, most);
}

uint64_t GrpcBytes(const Settings& settings) {
  return kOnTheirWayBytes + settings.max_inflight_bytes +
         settings.max_connections * ConnectionBytes(settings.tls.on()) +
         settings.max_streams * kStreamBytes;
}

FrameLimits LimitsOfFrames(const Settings& settings) {
  FrameLimits limits;
  limits.unfinished_bytes = static_cast<int64_t>(kOnTheirWayBytes + settings.max_inflight_bytes);
  return limits;
}

uint64_t RepliesOfPeersBytes(const Settings& settings) { return settings.max_inflight_bytes / 2; }

std::vector<MemoryUse> MemoryPlan(const Settings& settings) {
  std::vector<MemoryUse> plan = {
      {"the program and its threads",
       kProgramBytes + static_cast<uint64_t>(settings.threads) * kThreadBytes},
      {"requests on their way", kOnTheirWayBytes},
      {"max-memory", settings.max_memory_bytes + settings.max_memory_bytes / kStoreExcess},
      {"max-inflight-bytes", settings.max_inflight_bytes},
      {"request-window-bytes", settings.request_window_bytes},
      {"max-connections", settings.max_connections * ConnectionBytes(settings.tls.on())},
      {"max-streams", settings.max_streams * kStreamBytes},
      {"max-subscribers", settings.events.subscribers * kSubscriptionBytes},
      {"subscriber-total-bytes",
       settings.events.subscriber_bytes + LingeringBytes(settings.events.subscriber_bytes)},
      {"history-bytes", settings.events.history.bytes},
      {"slowlog-entries", 2 * settings.slowlog_entries * kSlowCallBytes},
  };
  if (!settings.cluster.name.empty())
    plan.push_back({"answers of other nodes", RepliesOfPeersBytes(settings)});
  return plan;
}

uint64_t Sum(const std::vector<MemoryUse>& plan) {
  uint64_t sum = 0;
  for (const MemoryUse& use : plan) sum += use.bytes;
  return sum;
}

}  // namespace ferrite
