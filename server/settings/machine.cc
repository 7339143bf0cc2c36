#include "server/settings/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <thread>

namespace ferrite {
namespace {

uint64_t PhysicalBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// The processors that this thread, and threads that it starts, may run on.
uint64_t Affinity() {
  // Larger sets are tried until the kernel's fits.
  for (size_t processors = CPU_SETSIZE; processors <= size_t{1} << 20; processors *= 2) {
    const std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(
        CPU_ALLOC(processors), [](cpu_set_t* allocated) { CPU_FREE(allocated); });
    const size_t bytes = CPU_ALLOC_SIZE(processors);
    if (sched_getaffinity(0, bytes, set.get()) == 0)
      return static_cast<uint64_t>(CPU_COUNT_S(bytes, set.get()));
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

void TightenBy(decltype(RLIMIT_AS) resource, const char* name, uint64_t reserved, Limit* memory) {
  rlimit limit;
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  memory->Tighten(limit.rlim_cur - std::min<uint64_t>(limit.rlim_cur, reserved), name);
}

}  // namespace

Machine Machine::This(const std::string& root) {
  const ControlGroupLimits groups = ReadControlGroups(root);
  Machine machine;
  machine.memory_bytes = {PhysicalBytes(), "the machine"};
  machine.memory_bytes.Tighten(groups.memory_bytes.amount, groups.memory_bytes.source);
  TightenBy(RLIMIT_AS, "RLIMIT_AS (less 4 GiB of mere addresses)", kReservedAddressBytes,
            &machine.memory_bytes);
  TightenBy(RLIMIT_DATA, "RLIMIT_DATA (less 3 GiB of mere addresses)", kReservedDataBytes,
            &machine.memory_bytes);
  machine.cores = {Affinity(), "its affinity"};
  if (groups.cpu_millis.amount != Limit::kNone)
    machine.cores.Tighten((groups.cpu_millis.amount + 999) / 1000, groups.cpu_millis.source);
  machine.cores.amount = std::max<uint64_t>(1, machine.cores.amount);
  return machine;
}

}  // namespace ferrite
