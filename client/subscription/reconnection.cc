#include "client/subscription/reconnection.h"

#include <algorithm>

#include "client/error.h"
#include "client/retry.h"

namespace ferrite {
namespace {

// A server may ask its subscribers to stay away for longer, but it may have been replaced by then.
constexpr absl::Duration kLongestPause = absl::Minutes(1);

bool WouldEndAlike(const absl::Status& why) {
  switch (why.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kUnauthenticated:
      return true;
    case absl::StatusCode::kResourceExhausted:
      return ReasonOf(why) == "SUBSCRIBER_TOO_SLOW";
    default:
      return false;  // a temporary failure of the server or of the network
  }
}

}  // namespace

std::optional<absl::Duration> ReconnectionDelay(const RetryPolicy& policy, int failures,
                                                const absl::Status& why,
                                                std::optional<std::string_view> pushback,
                                                double chance) {
  if (WouldEndAlike(why)) return std::nullopt;
  if (pushback.has_value()) {
    const std::optional<absl::Duration> told = PushbackOf(*pushback);
    if (told.has_value()) return std::min(*told, kLongestPause);
    return std::nullopt;
  }
  return Backoff(policy, failures, chance);
}

}  // namespace ferrite
