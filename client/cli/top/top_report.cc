#include "client/cli/top/top_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/byte_amount.h"
#include "client/cli/duration.h"
#include "client/cli/fold.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

// From this width on there is room for long numbers.
constexpr int kWide = 95;
constexpr int kLeastName = 10;

// In full as long as it fits into a column.
std::string RateBelow(double most, double per_second) {
  return per_second < most ? RenderRate(per_second)
                           : ShortCount(static_cast<uint64_t>(std::llround(per_second)));
}
std::string LongRate(double per_second) { return RateBelow(1e8, per_second); }
std::string ShortRate(double per_second) { return RateBelow(1e6, per_second); }

struct Column {
  const char* heading;
  int width;
  int wide;  // its width where there is room
  int rank;  // the greatest goes first where there is not enough room
  std::string (*text)(const MethodActivity& method, std::string (*rate)(double));
};

constexpr Column kColumns[] = {
    {"calls/s", 9, 12, 0,
     [](const MethodActivity& m, std::string (*rate)(double)) { return rate(m.calls_per_second); }},
    {"errors", 8, 10, 2,
     [](const MethodActivity& m, std::string (*rate)(double)) {
       return rate(m.errors_per_second);
     }},
    {"keys/s", 9, 12, 4,
     [](const MethodActivity& m, std::string (*rate)(double)) { return rate(m.keys_per_second); }},
    {"in B/s", 10, 13, 6,
     [](const MethodActivity& m, std::string (*)(double)) {
       return RoundedBytes(m.bytes_received_per_second);
     }},
    {"out B/s", 10, 13, 5,
     [](const MethodActivity& m, std::string (*)(double)) {
       return RoundedBytes(m.bytes_sent_per_second);
     }},
    {"p50", 9, 11, 3,
     [](const MethodActivity& m, std::string (*)(double)) { return QuantileText(m.p50); }},
    {"p99", 9, 11, 1,
     [](const MethodActivity& m, std::string (*)(double)) { return QuantileText(m.p99); }},
};

// The table of methods in the columns that fit.
class Table {
 public:
  explicit Table(int columns)
      : wide_(columns >= kWide), columns_(std::begin(kColumns), std::end(kColumns)) {
    while (columns_.size() > 1 && columns - Taken() < kLeastName) {
      columns_.erase(
          std::max_element(columns_.begin(), columns_.end(),
                           [](const Column& a, const Column& b) { return a.rank < b.rank; }));
    }
    name_ = std::clamp(columns - Taken(), 1, wide_ ? 24 : 17);
  }

  std::string Heading() const {
    std::string line(static_cast<size_t>(name_), ' ');
    for (const Column& column : columns_) {
      absl::StrAppendFormat(&line, "%*s", WidthOf(column), column.heading);
    }
    return line;
  }

  std::string Row(std::string name, const MethodActivity& method) const {
    if (name.size() >= static_cast<size_t>(name_)) {
      name = name.substr(0, static_cast<size_t>(std::max(name_ - 2, 1))) + "~";
    }
    std::string line = absl::StrFormat("%-*s", name_, name);
    for (const Column& column : columns_) {
      absl::StrAppendFormat(&line, "%*s", WidthOf(column),
                            column.text(method, wide_ ? LongRate : ShortRate));
    }
    return line;
  }

 private:
  int WidthOf(const Column& column) const { return wide_ ? column.wide : column.width; }
  int Taken() const {
    int sum = 0;
    for (const Column& column : columns_) sum += WidthOf(column);
    return sum;
  }

  const bool wide_;
  std::vector<Column> columns_;
  int name_;
};

std::string MemoryText(const Activity& activity) {
  const auto used = static_cast<double>(activity.memory_bytes);
  const auto limit = static_cast<double>(activity.memory_limit_bytes);
  if (activity.memory_limit_bytes == 0) return RoundedBytes(used) + " (no limit)";
  return absl::StrFormat("%s of %s (%s)", RoundedBytes(used), RoundedBytes(limit),
                         RenderShare(used, limit));
}

std::string HitText(const Activity& activity) {
  if (!activity.hit_ratio.has_value()) return "no reads";
  return absl::StrFormat("%.2f%%", 100 * *activity.hit_ratio);
}

// Appends the facts to `lines`, as many on a line as fit.
void AppendFacts(const std::vector<std::string>& facts, size_t width,
                 std::vector<std::string>* lines) {
  for (const std::string& line : Folded(facts, "   ", width)) {
    lines->push_back(line.substr(0, width));
  }
}

// The names of the methods. Where two services have one of the same name, the version of the
// service comes first: "v1alpha.ServerReflectionInfo".
std::vector<std::string> NamesOf(const std::vector<MethodActivity>& methods) {
  std::vector<std::string> names;
  for (const MethodActivity& method : methods) {
    const bool alone = std::count_if(methods.begin(), methods.end(), [&](const auto& other) {
                         return other.method == method.method;
                       }) == 1;
    const std::vector<std::string> package = absl::StrSplit(method.service, '.');
    const bool has_version = !alone && package.size() > 1;
    names.push_back(has_version ? package[package.size() - 2] + "." + method.method
                                : method.method);
  }
  return names;
}

// For JSON: an upper bound; null if there is none.
nlohmann::ordered_json QuantileJson(const std::optional<Quantile>& quantile) {
  if (!quantile.has_value() || quantile->or_more) return nullptr;
  return quantile->us;
}

}  // namespace

std::string RenderTop(const std::string& server, const Activity& activity,
                      const TerminalSize& size) {
  const auto width = static_cast<size_t>(std::max(size.columns, 1));
  std::vector<std::string> lines;
  AppendFacts({absl::StrCat(server, "  up ", RenderDuration(activity.uptime), ", over ",
                            RenderDuration(activity.interval))},
              width, &lines);
  AppendFacts(
      {"entries " + Grouped(activity.entries), "memory " + MemoryText(activity),
       "connections " + Grouped(activity.connections), "in flight " + Grouped(activity.in_flight)},
      width, &lines);
  AppendFacts(
      {"hits " + HitText(activity), "evicted/s " + RenderRate(activity.evictions_per_second),
       "expired/s " + RenderRate(activity.expired_per_second),
       "slow calls " + Grouped(activity.slow_calls)},
      width, &lines);
  lines.emplace_back();
  const Table table(size.columns);
  lines.push_back(table.Heading());
  const std::vector<std::string> names = NamesOf(activity.methods);
  for (size_t i = 0; i < names.size(); ++i) {
    lines.push_back(table.Row(names[i], activity.methods[i]));
  }
  // The cursor needs the last row.
  const auto most = static_cast<size_t>(std::max(size.rows - 1, 1));
  if (lines.size() > most) lines.resize(most);
  return absl::StrJoin(lines, "\n");
}

nlohmann::ordered_json TopJson(const std::string& server, const Activity& activity) {
  nlohmann::ordered_json methods = nlohmann::ordered_json::array();
  for (const MethodActivity& method : activity.methods) {
    methods.push_back({{"service", method.service},
                       {"method", method.method},
                       {"calls", method.calls_per_second},
                       {"errors", method.errors_per_second},
                       {"keys", method.keys_per_second},
                       {"bytes_received", method.bytes_received_per_second},
                       {"bytes_sent", method.bytes_sent_per_second},
                       {"p50_us", QuantileJson(method.p50)},
                       {"p99_us", QuantileJson(method.p99)}});
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
