#include "server/net/connection_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>

#include "server/net/doorman.h"
#include "server/net/http_server.h"

namespace ferrite {
namespace {

// Descriptors kept for everything but client connections: those for whom there is no place, HTTP,
// and 16 for logs, /proc and gRPC's own.
constexpr size_t kReservedDescriptors =
    Doorman::kMaxLocalGuests + Doorman::kMaxRemoteGuests + HttpServer::kMaxConnections + 16;
// Where there are few of them, clients get most of those.
constexpr size_t kMostReservedPart = 4;

}  // namespace

size_t ConnectionLimit(size_t wanted) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  const size_t reserved =
      std::min<size_t>(kReservedDescriptors, limit.rlim_cur / kMostReservedPart);
  const size_t taken = reserved + (error ? 0 : std::distance(descriptors, {}));
  return limit.rlim_cur > taken ? std::min<size_t>(wanted, limit.rlim_cur - taken) : 1;
}

}  // namespace ferrite
