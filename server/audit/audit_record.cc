#include "server/audit/audit_record.h"

#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace ferrite {
namespace {

using Line = nlohmann::ordered_json;

Line LineOf(std::string_view event, std::chrono::system_clock::time_point time) {
  return {{"time",
           absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromChrono(time), absl::UTCTimeZone())},
          {"event", std::string(event)}};
}

std::string LineText(const Line& line) {
  return line.dump(-1, ' ', false, Line::error_handler_t::replace);
}

}  // namespace

std::string ToJson(const AuditRecord& record) {
  Line line = LineOf(record.event, record.time);
  const auto add = [&line](const char* name, std::string_view value) {
    if (!value.empty()) line[name] = std::string(value);
  };
  add("principal", record.principal);
  add("credential", record.credential);
  add("peer", record.peer);
  add("trace", record.trace);
  add("method", record.method);
  add("verbs", record.verbs);
  add("namespace", record.name_space);
  add("name_sha256", record.name_sha256);
  add("reason", record.reason);
  add("details", record.details);
  return LineText(line);
}

std::string DroppedToJson(uint64_t count, std::chrono::system_clock::time_point time) {
  Line line = LineOf("dropped", time);
  line["count"] = count;
  return LineText(line);
}

}  // namespace ferrite
