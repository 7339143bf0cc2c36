#include "client/cli/slowlog_report.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/byte_amount.h"
#include "client/cli/bytes.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

constexpr char kRowFormat[] = "%-8s%-25s%-10s%10s%10s%7s%11s%11s  %-22s%s";

std::string CodeName(int code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// Everything else about the call, in one column, as it differs from call to call.
std::string Details(const v1::SlowCall& call) {
  std::string details;
  if (!call.key().empty()) absl::StrAppend(&details, "  key ", DisplayText(call.key()));
  if (call.code() != 0) absl::StrAppend(&details, "  ", CodeName(call.code()));
  if (!call.trace_id().empty()) absl::StrAppend(&details, "  trace ", call.trace_id());
  if (call.operation_traces_size() > 1) {
    absl::StrAppend(&details, " and ", call.operation_traces_size() - 1, " more");
  }
  return details;
}

}  // namespace

std::string SlowLogHeading() {
  return absl::StrFormat(kRowFormat, "id", "time", "method", "queue", "execute", "keys", "in",
                         "out", "peer", "  more");
}

std::string SlowLogRow(const v1::SlowCall& call) {
  return absl::StrFormat(
      kRowFormat, absl::StrCat(call.id()),
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", absl::FromUnixMillis(call.unix_ms()),
                       absl::LocalTimeZone()),
      call.method(), RenderMicroseconds(static_cast<double>(call.queue_us())),
      RenderMicroseconds(static_cast<double>(call.execute_us())), Grouped(call.keys()),
      RoundedBytes(static_cast<double>(call.request_bytes())),
      RoundedBytes(static_cast<double>(call.response_bytes())), call.peer(), Details(call));
}

nlohmann::ordered_json SlowCallJson(const v1::SlowCall& call) {
  nlohmann::ordered_json json = {{"id", call.id()},
                                 {"unix_ms", call.unix_ms()},
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
