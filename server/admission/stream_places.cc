#include "server/admission/stream_places.h"

#include <spdlog/spdlog.h>

#include <string>

#include "server/call/status.h"

namespace ferrite {
namespace {

absl::Status TooManyStreams(size_t limit) {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "this connection has as many streams as it may, " + std::to_string(limit) +
                       " (--max-concurrent-streams); end one, or open another connection",
                   {{"limit", std::to_string(limit)}});
}

}  // namespace

StreamPlaces::StreamPlaces(size_t per_connection)
    : per_connection_(per_connection), too_many_(TooManyStreams(per_connection)) {}

absl::Status StreamPlaces::Take(uint64_t connection) {
  {
    MutexLock lock(&mutex_);
    size_t& taken = taken_[connection];
    if (taken < per_connection_) {
      ++taken;
      return absl::OkStatus();
    }
  }
  std::call_once(logged_, [this] {
    spdlog::warn(
        "a connection has {} streams, as many as it may (--max-concurrent-streams); "
        "further ones are refused, and counted as ferrite_shed_total{{reason=\"streams\"}}",
        per_connection_);
  });
  return too_many_;
}

void StreamPlaces::GiveBack(uint64_t connection) {
  MutexLock lock(&mutex_);
  const auto taken = taken_.find(connection);
  if (--taken->second == 0) taken_.erase(taken);
}

}  // namespace ferrite
