#include "client/cli/stats/stats_report.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/byte_amount.h"
#include "client/cli/duration.h"
#include "client/cli/fold.h"
#include "client/cli/progress.h"
#include "client/cli/quantity.h"
#include "client/cli/sorted_json.h"
#include "client/cli/top/activity.h"

namespace ferrite::cli {
namespace {

constexpr char kMethodFormat[] = "%-22s%9s%8s%10s%10s%10s%10s";
constexpr size_t kMemoryBarWidth = 20;
constexpr size_t kNameWidth = 13;
constexpr size_t kWidth = 80;

class Report {
 public:
  Report(const v1::StatsResponse& stats, bool all)
      : stats_(stats), all_(all), seconds_(static_cast<double>(stats.uptime_ms()) / 1000) {}

  std::string Render(const std::string& server) {
    lines_ = {absl::StrCat(server, ", up ", RenderDuration(absl::Milliseconds(stats_.uptime_ms()))),
              ""};
    AddMemory();
    AddFact("entries", Grouped(stats_.entries()) + BytesEach());
    AddReads();
    AddCount("evictions", stats_.evictions());
    AddCount("expired", stats_.expired());
    AddFact("connections", Grouped(stats_.connections()));
    if (all_ || stats_.inflight_requests() > 1) {  // this call is one
      AddFact("in flight", Grouped(stats_.inflight_requests()));
    }
    AddCount("slow calls", stats_.slow_calls());
    AddMethods();
    return absl::StrJoin(lines_, "\n");
  }

 private:
  void AddFact(const std::string& name, const std::string& text) {
    lines_.push_back(absl::StrFormat("%-*s%s", static_cast<int>(kNameWidth), name, text));
  }

  std::string Rate(uint64_t count) const {
    return RenderRate(seconds_ > 0 ? static_cast<double>(count) / seconds_ : 0);
  }

  void AddCount(const std::string& name, uint64_t count) {
    if (all_ || count > 0) AddFact(name, absl::StrCat(Grouped(count), " (", Rate(count), "/s)"));
  }

  double MemoryBytes() const {
    double sum = 0;
    for (const auto& [purpose, bytes] : stats_.memory_bytes()) sum += static_cast<double>(bytes);
    return sum;
  }

  std::string BytesEach() const {
    if (stats_.entries() == 0) return "";
    const double each = MemoryBytes() / static_cast<double>(stats_.entries());
    return absl::StrCat(" (", RoundedBytes(each), " each)");
  }

  void AddMemory() {
    const double used = MemoryBytes();
    const auto limit = static_cast<double>(stats_.memory_limit_bytes());
    AddFact("memory",
            limit > 0
                ? absl::StrFormat("%s %s, %s of %s", Bar(used / limit, kMemoryBarWidth),
                                  RenderShare(used, limit), RoundedBytes(used), RoundedBytes(limit))
                : RoundedBytes(used) + ", no limit");
    std::vector<std::string> purposes;
    for (const auto& [purpose, bytes] :
         std::map(stats_.memory_bytes().begin(), stats_.memory_bytes().end())) {
      if (!all_ && bytes == 0) continue;
      purposes.push_back(purpose + " " + RoundedBytes(static_cast<double>(bytes)));
    }
    const std::string indent(kNameWidth, ' ');
    for (std::string& line : Folded(purposes, ", ", kWidth, indent)) {
      lines_.push_back(std::move(line));
    }
  }

  void AddReads() {
    const uint64_t reads = stats_.hits() + stats_.misses();
    if (!all_ && reads == 0) return;
    AddFact("reads", absl::StrCat(Grouped(reads), " (", Rate(reads), "/s)"));
    AddFact("hits", absl::StrCat(
                        RenderShare(static_cast<double>(stats_.hits()), static_cast<double>(reads)),
                        ", ", Grouped(stats_.hits()), " and ", Grouped(stats_.misses()),
                        stats_.misses() == 1 ? " miss" : " misses"));
  }

  void AddMethods() {
    std::vector<std::pair<std::string, std::vector<std::string>>> services;
    for (const v1::MethodStats& method : stats_.methods()) {
      if (!all_ && method.calls_started() == 0) continue;
      const std::string& service = method.service();
      if (services.empty() || services.back().first != service) {
        services.emplace_back(service, std::vector<std::string>());
      }
      services.back().second.push_back(MethodRow(method));
    }
    for (const auto& [service, rows] : services) {
      lines_.emplace_back();
      if (!service.empty()) lines_.push_back(service);
      lines_.push_back(
          absl::StrFormat(kMethodFormat, "", "ok", "failed", "ok/s", "in", "out", "p99"));
      lines_.insert(lines_.end(), rows.begin(), rows.end());
    }
  }

  std::string MethodRow(const v1::MethodStats& method) const {
    const std::vector<double> bounds(stats_.latency_bounds_us().begin(),
                                     stats_.latency_bounds_us().end());
    const std::vector<uint64_t> latency(method.latency_counts().begin(),
                                        method.latency_counts().end());
    return absl::StrFormat(kMethodFormat, "  " + method.method(), ShortCount(method.calls_ok()),
                           ShortCount(method.calls_failed()), Rate(method.calls_ok()),
                           RoundedBytes(static_cast<double>(method.bytes_received())),
                           RoundedBytes(static_cast<double>(method.bytes_sent())),
                           QuantileText(QuantileOf(bounds, latency, 0.99)));
  }

  const v1::StatsResponse& stats_;
  const bool all_;
  const double seconds_;
  std::vector<std::string> lines_;
};

nlohmann::ordered_json MethodJson(const v1::MethodStats& method) {
  return {{"service", method.service()},
          {"method", method.method()},
          {"calls_started", method.calls_started()},
          {"calls_ok", method.calls_ok()},
          {"calls_failed", method.calls_failed()},
          {"keys_read", method.keys_read()},
          {"keys_written", method.keys_written()},
          {"bytes_received", method.bytes_received()},
          {"bytes_sent", method.bytes_sent()},
          {"latency_sum_us", method.latency_sum_us()}};
}

}  // namespace

std::string RenderStats(const std::string& server, const v1::StatsResponse& stats, bool all) {
  return Report(stats, all).Render(server);
}

nlohmann::ordered_json StatsJson(const v1::StatsResponse& stats) {
  nlohmann::ordered_json methods = nlohmann::ordered_json::array();
  for (const v1::MethodStats& method : stats.methods()) methods.push_back(MethodJson(method));
  return {{"uptime_ms", stats.uptime_ms()},
          {"entries", stats.entries()},
          {"memory_bytes", SortedJson(stats.memory_bytes())},
          {"memory_limit_bytes", stats.memory_limit_bytes()},
          {"evictions", stats.evictions()},
          {"expired", stats.expired()},
          {"hits", stats.hits()},
          {"misses", stats.misses()},
          {"inflight_requests", stats.inflight_requests()},
          {"connections", stats.connections()},
          {"slow_calls", stats.slow_calls()},
          {"calls_ok", SortedJson(stats.calls_ok())},
          {"calls_failed", SortedJson(stats.calls_failed())},
          {"methods", methods}};
}

}  // namespace ferrite::cli
