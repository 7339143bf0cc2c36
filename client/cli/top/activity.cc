#include "client/cli/top/activity.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

// Differences between two answers, per second if asked for.
class Difference {
 public:
  explicit Difference(absl::Duration interval) : seconds_(absl::ToDoubleSeconds(interval)) {}

  static uint64_t Count(uint64_t before, uint64_t after) {
    return after > before ? after - before : 0;
  }
  double Rate(uint64_t before, uint64_t after) const {
    return seconds_ > 0 ? static_cast<double>(Count(before, after)) / seconds_ : 0;
  }

 private:
  const double seconds_;
};

std::vector<uint64_t> LatencyBetween(const v1::MethodStats& before, const v1::MethodStats& after) {
  std::vector<uint64_t> counts(after.latency_counts().begin(), after.latency_counts().end());
  for (int i = 0; i < std::min(before.latency_counts_size(), after.latency_counts_size()); ++i) {
    counts[static_cast<size_t>(i)] =
        Difference::Count(before.latency_counts(i), after.latency_counts(i));
  }
  return counts;
}

MethodActivity MethodBetween(const v1::MethodStats& before, const v1::MethodStats& after,
                             const std::vector<double>& bounds_us, const Difference& difference) {
  MethodActivity method;
  method.service = after.service();
  method.method = after.method();
  method.errors_per_second = difference.Rate(before.calls_failed(), after.calls_failed());
  method.keys_per_second = difference.Rate(before.keys_read(), after.keys_read()) +
                           difference.Rate(before.keys_written(), after.keys_written());
  method.bytes_received_per_second =
      difference.Rate(before.bytes_received(), after.bytes_received());
  method.bytes_sent_per_second = difference.Rate(before.bytes_sent(), after.bytes_sent());
  const std::vector<uint64_t> latency = LatencyBetween(before, after);
  method.calls_per_second =
      difference.Rate(0, std::accumulate(latency.begin(), latency.end(), uint64_t{0}));
  method.p50 = QuantileOf(bounds_us, latency, 0.5);
  method.p99 = QuantileOf(bounds_us, latency, 0.99);
  return method;
}

}  // namespace

std::optional<Quantile> QuantileOf(const std::vector<double>& bounds_us,
                                   const std::vector<uint64_t>& counts, double share) {
  const uint64_t all = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (all == 0 || bounds_us.empty() || counts.size() != bounds_us.size() + 1) return std::nullopt;
  const double rank = share * static_cast<double>(all);
  double below = 0;
  for (size_t i = 0; i < bounds_us.size(); ++i) {
    const auto count = static_cast<double>(counts[i]);
    if (count > 0 && below + count >= rank) {
      if (i == 0) return Quantile{.us = bounds_us[0], .or_less = true};
      const double low = bounds_us[i - 1];
      return Quantile{.us = low + (bounds_us[i] - low) * (rank - below) / count};
    }
    below += count;
  }
  return Quantile{.us = bounds_us.back(), .or_more = true};
}

std::string QuantileText(const std::optional<Quantile>& quantile) {
  if (!quantile.has_value()) return "-";
  const char* bound = quantile->or_more ? ">" : quantile->or_less ? "<" : "";
  return bound + RenderMicroseconds(quantile->us);
}

Activity ActivityBetween(const v1::StatsResponse& earlier, const v1::StatsResponse& after) {
  const bool restarted = after.uptime_ms() < earlier.uptime_ms();
  const v1::StatsResponse before = restarted ? v1::StatsResponse() : earlier;
  Activity activity;
  activity.interval = absl::Milliseconds(after.uptime_ms() - before.uptime_ms());
  const Difference difference(activity.interval);

  // By service and name: two services may have a method of one name.
  const auto name = [](const v1::MethodStats& method) {
    return std::pair(method.service(), method.method());
  };
  std::map<std::pair<std::string, std::string>, const v1::MethodStats*> methods_before;
  for (const v1::MethodStats& method : before.methods()) methods_before[name(method)] = &method;
  const std::vector<double> bounds(after.latency_bounds_us().begin(),
                                   after.latency_bounds_us().end());
  for (const v1::MethodStats& method : after.methods()) {
    if (method.calls_started() == 0) continue;
    const auto known = methods_before.find(name(method));
    activity.methods.push_back(
        MethodBetween(known == methods_before.end() ? v1::MethodStats() : *known->second, method,
                      bounds, difference));
  }
  std::sort(activity.methods.begin(), activity.methods.end(), [](const auto& a, const auto& b) {
    return std::tie(b.calls_per_second, a.method, a.service) <
           std::tie(a.calls_per_second, b.method, b.service);
  });

  const uint64_t hits = Difference::Count(before.hits(), after.hits());
  const uint64_t reads = hits + Difference::Count(before.misses(), after.misses());
  if (reads > 0) activity.hit_ratio = static_cast<double>(hits) / static_cast<double>(reads);
  activity.evictions_per_second = difference.Rate(before.evictions(), after.evictions());
  activity.expired_per_second = difference.Rate(before.expired(), after.expired());
  activity.slow_calls = Difference::Count(before.slow_calls(), after.slow_calls());
  activity.uptime = absl::Milliseconds(after.uptime_ms());
  activity.entries = after.entries();
  for (const auto& [what, bytes] : after.memory_bytes()) activity.memory_bytes += bytes;
  activity.memory_limit_bytes = after.memory_limit_bytes();
  activity.connections = after.connections();
  activity.in_flight = after.inflight_requests();
  return activity;
}

}  // namespace ferrite::cli
