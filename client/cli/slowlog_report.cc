#include "client/cli/slowlog_report.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/byte_amount.h"
#include "client/cli/bytes.h"
#include "client/cli/fold.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

// What every row has: 79 columns.
constexpr char kRowFormat[] = "%-8s%-25s%-19s%10s%10s%7s";
// What follows it on the same line where the output is no terminal.
constexpr char kRestFormat[] = "%11s%11s  %-22s%s";
constexpr char kIndent[] = "        ";  // as wide as an id

std::string CodeName(int code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// Everything else about the call, as it differs from call to call.
std::vector<std::string> Details(const v1::SlowCall& call) {
  std::vector<std::string> details;
  if (!call.key().empty()) details.push_back("key " + DisplayText(call.key()));
  if (!call.namespace_().empty()) details.push_back("namespace " + DisplayText(call.namespace_()));
  if (call.code() != 0) details.push_back(CodeName(call.code()));
  if (!call.trace_id().empty()) {
    const int more = call.operation_traces_size() - 1;
    details.push_back(absl::StrCat("trace ", call.trace_id(),
                                   more > 0 ? absl::StrCat(" and ", more, " more") : ""));
  }
  return details;
}

}  // namespace

std::string SlowLogHeading(std::optional<int> columns) {
  const std::string heading =
      absl::StrFormat(kRowFormat, "id", "time", "method", "queue", "execute", "keys");
  if (columns.has_value()) return heading;
  return heading + absl::StrFormat(kRestFormat, "in", "out", "peer", "  more");
}

std::string SlowLogRow(const v1::SlowCall& call, std::optional<int> columns) {
  std::string row = absl::StrFormat(
      kRowFormat, absl::StrCat(call.id()),
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::FromUnixMillis(call.unix_ms()),
                       absl::LocalTimeZone()),
      call.method(), RenderMicroseconds(static_cast<double>(call.queue_us())),
      RenderMicroseconds(static_cast<double>(call.execute_us())), Grouped(call.keys()));
  const std::string in = RoundedBytes(static_cast<double>(call.request_bytes()));
  const std::string out = RoundedBytes(static_cast<double>(call.response_bytes()));
  std::vector<std::string> details = Details(call);
  if (!columns.has_value()) {
    details.insert(details.begin(), "");
    absl::StrAppendFormat(&row, kRestFormat, in, out, call.peer(), absl::StrJoin(details, "  "));
    absl::StripTrailingAsciiWhitespace(&row);
    return row;
  }
  details.insert(details.begin(), {"in " + in, "out " + out, call.peer()});
  const auto width = static_cast<size_t>(*columns);
  return absl::StrCat(row, "\n", absl::StrJoin(Folded(details, "  ", width, kIndent), "\n"));
}

nlohmann::ordered_json SlowCallJson(const v1::SlowCall& call) {
  nlohmann::ordered_json json = {{"id", call.id()},
                                 {"unix_ms", call.unix_ms()},
                                 {"service", call.service()},
                                 {"method", call.method()},
                                 {"key", JsonBytes(call.key())},
                                 {"keys", call.keys()},
                                 {"request_bytes", call.request_bytes()},
                                 {"response_bytes", call.response_bytes()},
                                 {"queue_us", call.queue_us()},
                                 {"execute_us", call.execute_us()},
                                 {"peer", call.peer()},
                                 {"code", CodeName(call.code())},
                                 {"trace_id", nullptr},
                                 {"span_id", nullptr}};
  if (!call.namespace_().empty()) json["namespace"] = call.namespace_();
  if (!call.trace_id().empty()) {
    json["trace_id"] = call.trace_id();
    json["span_id"] = call.span_id();
  }
  for (const v1::OperationTrace& trace : call.operation_traces()) {
    json["operation_traces"].push_back(
        {{"trace_id", trace.trace_id()}, {"span_id", trace.span_id()}});
  }
  return json;
}

}  // namespace ferrite::cli
