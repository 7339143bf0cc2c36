#include "client/cli/bench/open_result.h"

#include <array>
#include <iterator>

#include "absl/strings/str_format.h"

namespace ferrite::cli {
namespace {

struct CountField {
  const char* name;
  uint64_t OpenCounts::*count;
  const char* meaning;
};
constexpr std::array kFields = {
    CountField{"offered", &OpenCounts::offered, "arrivals"},
    CountField{"unsent", &OpenCounts::unsent, "made no call: too many in flight, or late here"},
    CountField{"good", &OpenCounts::good, "OK within the deadline"},
    CountField{"late", &OpenCounts::late, "OK beyond the deadline"},
    CountField{"shed", &OpenCounts::shed, "RESOURCE_EXHAUSTED"},
    CountField{"expired", &OpenCounts::expired, "DEADLINE_EXCEEDED"},
    CountField{"failed", &OpenCounts::failed, "any other status"},
};

double RateOf(uint64_t count, absl::Duration elapsed) {
  const double seconds = absl::ToDoubleSeconds(elapsed);
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

nlohmann::ordered_json CountsJson(const OpenCounts& counts) {
  nlohmann::ordered_json json;
  for (const CountField& field : kFields) json[field.name] = counts.*field.count;
  return json;
}

}  // namespace

void OpenCounts::Add(const OpenCounts& other) {
  for (const CountField& field : kFields) this->*field.count += other.*field.count;
}

OpenCounts OpenCounts::Since(const OpenCounts& earlier) const {
  OpenCounts since = *this;
  for (const CountField& field : kFields) since.*field.count -= earlier.*field.count;
  return since;
}

std::vector<std::string> RenderOpenLines(const OpenResult& result, absl::Duration elapsed) {
  std::vector<std::string> lines;
  lines.reserve(std::size(kFields));
  for (const CountField& field : kFields) {
    lines.push_back(absl::StrFormat("%-8s%12.0f/s  %s", field.name,
                                    RateOf(result.counts.*field.count, elapsed), field.meaning));
  }
  return lines;
}

nlohmann::ordered_json RenderOpenJson(const OpenResult& result, absl::Duration elapsed) {
  nlohmann::ordered_json json = {{"counts", CountsJson(result.counts)},
                                 {"goodput_per_second", RateOf(result.counts.good, elapsed)}};
  const auto ms = [&](double share) {
    return absl::ToDoubleMilliseconds(result.latency.Percentile(share));
  };
  json["latency_ms"] = {{"p50", ms(0.5)}, {"p99", ms(0.99)}, {"p99_9", ms(0.999)}};
  nlohmann::ordered_json timeline = nlohmann::ordered_json::array();
  for (const OpenInterval& interval : result.timeline) {
    nlohmann::ordered_json point = {{"seconds", absl::ToDoubleSeconds(interval.end)}};
    point.update(CountsJson(interval.counts));
    timeline.push_back(std::move(point));
  }
  json["timeline"] = std::move(timeline);
  return json;
}

}  // namespace ferrite::cli
