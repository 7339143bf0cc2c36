#include "server/heap_trim.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace ferrite {
namespace {

using std::chrono::seconds;

// How much more than least there may be.
constexpr int64_t kSlackBytes = int64_t{4} << 20;
// What was worth the walk.
constexpr int64_t kGainBytes = int64_t{1} << 20;
constexpr seconds kShortestPause{1};
constexpr seconds kLongestPause{8};

}  // namespace

bool TrimSchedule::IsDue(Time now, int64_t bytes) const {
  if (now < next_) return false;
  return !least_.has_value() || bytes > *least_ + kSlackBytes;
}

void TrimSchedule::Asked(Time now, int64_t before, int64_t after) {
  least_ = std::min(after, least_.value_or(after));
  pause_ = before - after >= kGainBytes ? kShortestPause : std::min(2 * pause_, kLongestPause);
  next_ = now + pause_;
}

int64_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  int64_t pages = 0;
  if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
  std::fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

void HeapTrim::Run(size_t counted) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return;
  next_look_ = now + kShortestPause;
  const int64_t before = ResidentBytes() - static_cast<int64_t>(counted);
  if (!schedule_.IsDue(now, before)) return;
  malloc_trim(0);
  schedule_.Asked(now, before, ResidentBytes() - static_cast<int64_t>(counted));
}

}  // namespace ferrite
