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

namespace ferrite {
namespace {

// Of gRPC's poller and of the accept loop: six, at most.
constexpr int kDescriptorsToStart = 8;
// Where there are few of them, clients get most of those; but so many are always kept.
constexpr size_t kMostKeptPart = 4;
constexpr size_t kLeastKept = 16;
constexpr size_t kLeastFiles = 8;

}  // namespace

KeptPlaces PlacesWithin(size_t descriptors) {
  const KeptPlaces most;
  const size_t kept = std::clamp(descriptors / kMostKeptPart, kLeastKept, most.descriptors());
  KeptPlaces places;
  places.files = std::max(kLeastFiles, most.files * kept / most.descriptors());
  const size_t left = kept - places.files;
  places.local_guests = std::max<size_t>(2, left / 6);
  places.http = std::max<size_t>(2, left / 3);
  places.remote_guests = left - places.local_guests - places.http;
  return places;
}

KeptPlaces PlacesKept() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  return PlacesWithin(limit.rlim_max);
}

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
  const size_t taken =
      PlacesWithin(limit.rlim_cur).descriptors() + (error ? 0 : std::distance(descriptors, {}));
  return limit.rlim_cur > taken ? std::min<size_t>(wanted, limit.rlim_cur - taken) : 1;
}

}  // namespace ferrite
