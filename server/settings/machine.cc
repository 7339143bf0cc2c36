#include "server/settings/machine.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace ferrite {
namespace {

// The number that a file begins with; `otherwise` where there is no such file, or it says "max".
template <typename Number>
Number NumberIn(const std::string& path, Number otherwise) {
  std::ifstream file(path);
  Number number;
  return file >> number ? number : otherwise;
}

// How much time on any core the group may have in a period, both in microseconds.
struct Quota {
  int64_t time_us = -1;  // not above 0: no limit
  int64_t period_us = 0;
};

Quota QuotaOf(const std::string& control_group) {
  Quota quota;
  std::ifstream file(control_group + "/cpu.max");
  if (file >> quota.time_us >> quota.period_us) return quota;
  return {NumberIn<int64_t>(control_group + "/cpu/cpu.cfs_quota_us", -1),
          NumberIn<int64_t>(control_group + "/cpu/cpu.cfs_period_us", 0)};
}

}  // namespace

uint64_t AvailableMemoryBytes(const std::string& control_group) {
  const auto pages = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES));
  const uint64_t machine = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min({machine, NumberIn(control_group + "/memory.max", machine),
                   NumberIn(control_group + "/memory/memory.limit_in_bytes", machine)});
}

int AvailableCores(const std::string& control_group) {
  const int machine = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const Quota quota = QuotaOf(control_group);
  if (quota.time_us <= 0 || quota.period_us <= 0) return machine;
  const int64_t cores = (quota.time_us + quota.period_us - 1) / quota.period_us;
  return static_cast<int>(std::min<int64_t>(machine, cores));
}

}  // namespace ferrite
