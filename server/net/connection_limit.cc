#include "server/net/connection_limit.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/descriptor.h"
#include "base/error_text.h"
#include "server/net/doorman.h"
#include "server/net/http_server.h"

namespace ferrite {
namespace {

// Descriptors kept for everything but client connections: those for whom there is no place, HTTP,
// and 16 for logs, /proc and gRPC's own.
constexpr size_t kReservedDescriptors =
    Doorman::kMaxLocalGuests + Doorman::kMaxRemoteGuests + HttpServer::kMaxConnections + 16;
// Of gRPC's poller and of the accept loop: six, at most.
constexpr int kDescriptorsToStart = 8;
// Where there are few of them, clients get most of those.
constexpr size_t kMostReservedPart = 4;

}  // namespace

absl::Status RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::OkStatus();
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<Descriptor> tried;
  for (int i = 0; i < kDescriptorsToStart; ++i) {
    tried.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (tried.back().valid()) continue;
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot start: ", ErrorText(errno), ": of ", limit.rlim_cur,
        " file descriptors (ulimit -n), ", i, " are left, and gRPC needs ", kDescriptorsToStart));
  }
  return absl::OkStatus();
}

size_t ConnectionLimit(size_t wanted) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  std::error_code error;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
  const size_t reserved =
      std::min<size_t>(kReservedDescriptors, limit.rlim_cur / kMostReservedPart);
  const size_t taken = reserved + (error ? 0 : std::distance(descriptors, {}));
  return limit.rlim_cur > taken ? std::min<size_t>(wanted, limit.rlim_cur - taken) : 1;
}

}  // namespace ferrite
