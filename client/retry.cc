#include "client/retry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include "absl/strings/numbers.h"

namespace ferrite {
namespace {

bool MayBeTriedAgain(const FailedAttempt& failed) {
  if (failed.code == absl::StatusCode::kUnavailable) return true;
  return failed.code == absl::StatusCode::kResourceExhausted && failed.pushback.has_value();
}

std::mt19937_64& Generator() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(),
                       device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator;
}

}  // namespace

std::optional<absl::Duration> RetryDelay(const RetryPolicy& policy, const FailedAttempt& failed,
                                         double chance) {
  const bool is_last = failed.patient ? policy.max_attempts == 1  //
                                      : failed.attempts - failed.uncounted >= policy.max_attempts;
  if (!failed.repeatable || is_last || !MayBeTriedAgain(failed)) return std::nullopt;
  absl::Duration delay = Backoff(policy, failed.attempts, chance);
  if (failed.pushback.has_value()) {
    const std::optional<absl::Duration> pushback = PushbackOf(*failed.pushback);
    if (!pushback.has_value()) return std::nullopt;
    delay = *pushback;
  }
  if (delay >= failed.time_left) return std::nullopt;
  return delay;
}

absl::Duration Backoff(const RetryPolicy& policy, int attempts, double chance) {
  // Beyond this it has grown to the longest anyway.
  constexpr int kMostDoublings = 40;
  const absl::Duration grown =
      policy.initial_backoff * std::exp2(std::min(attempts - 1, kMostDoublings));
  return std::min(grown, policy.max_backoff) * (0.5 + chance / 2);
}

std::optional<absl::Duration> PushbackOf(std::string_view text) {
  int64_t pushback_ms;
  if (!absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &pushback_ms) ||
      pushback_ms < 0) {
    return std::nullopt;
  }
  return absl::Milliseconds(pushback_ms);
}

double RandomChance() { return std::uniform_real_distribution<double>(0, 1)(Generator()); }

std::string NewRequestId() {
  const uint64_t words[] = {Generator()(), Generator()()};
  std::string id(sizeof(words), '\0');
  std::memcpy(id.data(), words, sizeof(words));
  return id;
}

}  // namespace ferrite
