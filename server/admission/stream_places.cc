#include "server/admission/stream_places.h"

#include <spdlog/spdlog.h>

#include <string>

#include "server/call/status.h"

namespace ferrite {
namespace {

absl::Status TooManyStreams(size_t limit) {
  static const bool logged = [limit] {
    spdlog::warn(
        "a connection has {} streams, as many as it may (--max-concurrent-streams); "
        "further ones are refused, and counted as ferrite_shed_total{{reason=\"streams\"}}",
        limit);
    return true;
  }();
  (void)logged;
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "this connection has as many streams as it may, " + std::to_string(limit) +
                       " (--max-concurrent-streams); end one, or open another connection",
                   {{"limit", std::to_string(limit)}});
}

}  // namespace

absl::Status StreamPlaces::Take(uint64_t connection) {
  {
    MutexLock lock(&mutex_);
    size_t& taken = taken_[connection];
    if (taken < per_connection_) {
      ++taken;
      return absl::OkStatus();
    }
  }
  return TooManyStreams(per_connection_);
}

void StreamPlaces::GiveBack(uint64_t connection) {
  MutexLock lock(&mutex_);
  const auto taken = taken_.find(connection);
  if (--taken->second == 0) taken_.erase(taken);
}

}  // namespace ferrite
