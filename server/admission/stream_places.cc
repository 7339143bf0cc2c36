#include "server/admission/stream_places.h"

#include <spdlog/spdlog.h>

#include <string>

#include "server/admission/connection_shares.h"
#include "server/call/status.h"

namespace ferrite {
namespace {

bool CountsAmongAll(Method method) { return method != Method::kSubscribe; }
bool IsOpenToAll(Method method) { return method == Method::kHealthWatch; }

absl::Status Overloaded(const std::string& text, size_t limit) {
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED, text,
                   {{"limit", std::to_string(limit)}});
}

absl::Status TooManyStreams(size_t limit) {
  return Overloaded("this connection has as many streams as it may, " + std::to_string(limit) +
                        " (--max-concurrent-streams); end one, or open another connection",
                    limit);
}

absl::Status TooManyOfAll(size_t limit) {
  return Overloaded(
      "the server has as many streams as it may, " + std::to_string(limit) + " (--max-streams)",
      limit);
}

absl::Status ShareTaken(const StreamLimits& limits) {
  return Overloaded("this connection has as many streams as it may beside the others, of " +
                        std::to_string(limits.all) +
                        " (--max-streams, --connection-share); end one, or come again later",
                    limits.all);
}

}  // namespace

StreamPlaces::StreamPlaces(const StreamLimits& limits)
    : limits_(limits),
      too_many_(TooManyStreams(limits.per_connection)),
      too_many_of_all_(TooManyOfAll(limits.all)),
      share_taken_(ShareTaken(limits)) {}

absl::Status StreamPlaces::Take(Method method, uint64_t connection, ShedReason* reason) {
  const bool counts = CountsAmongAll(method);
  {
    MutexLock lock(&mutex_);
    const auto found = taken_.find(connection);
    const Taken taken = found == taken_.end() ? Taken{} : found->second;
    if (counts && (all_ >= limits_.all || (IsOpenToAll(method) && watches_ >= MostWatches()))) {
      *reason = ShedReason::kAllStreams;
      return too_many_of_all_;
    }
    if (counts &&
        !ConnectionShares::Allows(taken.counted, all_, limits_.all, limits_.connection_percent)) {
      *reason = ShedReason::kConnectionShare;
      return share_taken_;
    }
    if (taken.any < limits_.per_connection) {
      Taken& place = found == taken_.end() ? taken_[connection] : found->second;
      ++place.any;
      place.counted += counts;
      all_ += counts;
      watches_ += IsOpenToAll(method);
      return absl::OkStatus();
    }
  }
  std::call_once(logged_, [this] {
    spdlog::warn(
        "a connection has {} streams, as many as it may (--max-concurrent-streams); "
        "further ones are refused, and counted as ferrite_shed_total{{reason=\"streams\"}}",
        limits_.per_connection);
  });
  *reason = ShedReason::kStreams;
  return too_many_;
}

void StreamPlaces::GiveBack(Method method, uint64_t connection) {
  const bool counts = CountsAmongAll(method);
  MutexLock lock(&mutex_);
  const auto place = taken_.find(connection);
  all_ -= counts;
  watches_ -= IsOpenToAll(method);
  place->second.counted -= counts;
  if (--place->second.any == 0) taken_.erase(place);
}

}  // namespace ferrite
