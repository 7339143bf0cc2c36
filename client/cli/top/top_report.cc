#include "client/cli/top/top_report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/duration.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

constexpr char kRowFormat[] = "%-13s%12s%10s%12s%13s%13s%11s%11s";

std::string RateText(double per_second) {
  if (per_second == 0) return "0";
  if (per_second < 10) return absl::StrFormat("%.1f", per_second);
  return Grouped(static_cast<uint64_t>(std::llround(per_second)));
}

std::string QuantileText(const std::optional<Quantile>& quantile) {
  if (!quantile.has_value()) return "-";
  const char* bound = quantile->or_more ? ">" : quantile->or_less ? "<" : "";
  return absl::StrCat(bound, RenderMicroseconds(quantile->us));
}

std::string MethodRow(const MethodActivity& method) {
  return absl::StrFormat(kRowFormat, method.method, RateText(method.calls_per_second),
                         RateText(method.errors_per_second), RateText(method.keys_per_second),
                         RenderBytes(method.bytes_received_per_second),
                         RenderBytes(method.bytes_sent_per_second), QuantileText(method.p50),
                         QuantileText(method.p99));
}

std::string MemoryText(const Activity& activity) {
  const auto used = static_cast<double>(activity.memory_bytes);
  const auto limit = static_cast<double>(activity.memory_limit_bytes);
  if (activity.memory_limit_bytes == 0) return RenderBytes(used) + " (no limit)";
  return absl::StrFormat("%s of %s (%.1f%%)", RenderBytes(used), RenderBytes(limit),
                         100 * used / limit);
}

std::string HitText(const Activity& activity) {
  if (!activity.hit_ratio.has_value()) return "no reads";
  return absl::StrFormat("%.2f%%", 100 * *activity.hit_ratio);
}

// For JSON: an upper bound; null if there is none.
nlohmann::ordered_json QuantileJson(const std::optional<Quantile>& quantile) {
  if (!quantile.has_value() || quantile->or_more) return nullptr;
  return quantile->us;
}

}  // namespace

std::string RenderTop(const std::string& server, const Activity& activity) {
  std::vector<std::string> lines = {
      absl::StrCat(server, "  up ", RenderDuration(activity.uptime), ", over ",
                   RenderDuration(activity.interval)),
      absl::StrCat("entries ", Grouped(activity.entries), "   memory ", MemoryText(activity),
                   "   connections ", Grouped(activity.connections), "   in flight ",
                   Grouped(activity.in_flight)),
      absl::StrCat("hits ", HitText(activity), "   evicted/s ",
                   RateText(activity.evictions_per_second), "   expired/s ",
                   RateText(activity.expired_per_second), "   slow calls ",
                   Grouped(activity.slow_calls)),
      "",
      absl::StrFormat(kRowFormat, "", "calls/s", "errors/s", "keys/s", "in B/s", "out B/s", "p50",
                      "p99")};
  for (const MethodActivity& method : activity.methods) lines.push_back(MethodRow(method));
  return absl::StrJoin(lines, "\n");
}

nlohmann::ordered_json TopJson(const std::string& server, const Activity& activity) {
  nlohmann::ordered_json methods = nlohmann::ordered_json::object();
  for (const MethodActivity& method : activity.methods) {
    methods[method.method] = {{"calls", method.calls_per_second},
                              {"errors", method.errors_per_second},
                              {"keys", method.keys_per_second},
                              {"bytes_received", method.bytes_received_per_second},
                              {"bytes_sent", method.bytes_sent_per_second},
                              {"p50_us", QuantileJson(method.p50)},
                              {"p99_us", QuantileJson(method.p99)}};
  }
  nlohmann::ordered_json hit_ratio;
  if (activity.hit_ratio.has_value()) hit_ratio = *activity.hit_ratio;
  return {{"server", server},
          {"uptime_ms", absl::ToInt64Milliseconds(activity.uptime)},
          {"interval_ms", absl::ToInt64Milliseconds(activity.interval)},
          {"entries", activity.entries},
          {"memory_bytes", activity.memory_bytes},
          {"memory_limit_bytes", activity.memory_limit_bytes},
          {"connections", activity.connections},
          {"in_flight", activity.in_flight},
          {"hit_ratio", hit_ratio},
          {"evictions", activity.evictions_per_second},
          {"expired", activity.expired_per_second},
          {"slow_calls", activity.slow_calls},
          {"methods", methods}};
}

}  // namespace ferrite::cli
