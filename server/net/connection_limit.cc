#include "server/net/connection_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

namespace ferrite {
namespace {

// Descriptors kept for everything but client connections: HTTP, logs, /proc, gRPC's own.
constexpr size_t kReservedDescriptors = 16;

}  // namespace

size_t ConnectionLimit(size_t wanted) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  const size_t taken = kReservedDescriptors + (error ? 0 : std::distance(descriptors, {}));
  return limit.rlim_cur > taken ? std::min<size_t>(wanted, limit.rlim_cur - taken) : 1;
}

}  // namespace ferrite
