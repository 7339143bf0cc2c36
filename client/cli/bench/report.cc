#include "client/cli/bench/report.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/duration.h"

namespace ferrite::cli {
namespace {

std::string_view NameOf(BenchOp op) {
  switch (op) {
    case BenchOp::kGet:
      return "get";
    case BenchOp::kSet:
      return "set";
    case BenchOp::kIncr:
      return "incr";
    case BenchOp::kMixed:
      return "mixed";
    case BenchOp::kMGet:
      return "mget";
  }
  return "";
}

// 1234567 as 1,234,567.
std::string Grouped(uint64_t number) {
  std::string digits = absl::StrCat(number);
  for (auto i = static_cast<int64_t>(digits.size()) - 3; i > 0; i -= 3) digits.insert(i, 1, ',');
  return digits;
}

std::string RenderLatency(absl::Duration latency) {
  const double us = absl::ToDoubleMicroseconds(latency);
  return us < 10'000 ? absl::StrFormat("%.0f us", us) : absl::StrFormat("%.1f ms", us / 1000);
}

double PerSecond(uint64_t count, absl::Duration elapsed) {
  return elapsed > absl::ZeroDuration()
             ? static_cast<double>(count) / absl::ToDoubleSeconds(elapsed)
             : 0;
}

std::string RateText(uint64_t count, absl::Duration elapsed) {
  return Grouped(static_cast<uint64_t>(PerSecond(count, elapsed)));
}

// "UNAVAILABLE", its count; only what happened.
std::vector<std::pair<std::string, uint64_t>> Errors(const Totals& totals) {
  std::vector<std::pair<std::string, uint64_t>> errors;
  for (size_t code = 0; code < totals.errors.size(); ++code) {
    if (totals.errors[code] == 0) continue;
    errors.emplace_back(absl::StatusCodeToString(static_cast<absl::StatusCode>(code)),
                        totals.errors[code]);
  }
  return errors;
}

std::string TableRow(std::string_view name, const Totals& totals, absl::Duration elapsed) {
  const Latencies& latency = totals.latency;
  return absl::StrFormat(
      "%-8s%12s%14s%11s%11s%11s%11s%10s\n", std::string(name), RateText(totals.calls(), elapsed),
      RateText(totals.keys, elapsed), RenderLatency(latency.Percentile(0.5)),
      RenderLatency(latency.Percentile(0.99)), RenderLatency(latency.Percentile(0.999)),
      RenderLatency(latency.max()), Grouped(totals.failed_calls()));
}

nlohmann::ordered_json JsonTotals(const Totals& totals, absl::Duration elapsed) {
  nlohmann::ordered_json errors = nlohmann::ordered_json::object();
  for (const auto& [name, count] : Errors(totals)) errors[name] = count;
  const auto us = [&](double share) {
    return absl::ToDoubleMicroseconds(totals.latency.Percentile(share));
  };
  return {{"calls", totals.calls()},
          {"keys", totals.keys},
          {"calls_per_second", PerSecond(totals.calls(), elapsed)},
          {"keys_per_second", PerSecond(totals.keys, elapsed)},
          {"latency_us",
           {{"p50", us(0.5)},
            {"p99", us(0.99)},
            {"p99_9", us(0.999)},
            {"max", absl::ToDoubleMicroseconds(totals.latency.max())}}},
          {"errors", errors}};
}

}  // namespace

std::string RenderTable(const BenchOptions& options, const BenchResult& result) {
  const Totals sum = result.Sum();
  std::string table = absl::StrFormat(
      "%s%s in %s: %d connections x %d in flight, %d threads, %s keys of %d B, values of %d B, %s, "
      "batch %d\n\n",
      std::string(NameOf(options.op)), result.interrupted ? " (interrupted)" : "",
      RenderDuration(result.elapsed), options.connections, options.in_flight, options.threads,
      Grouped(options.keys), options.key_size, options.value_size,
      options.zipf_theta.has_value() ? absl::StrFormat("zipf %g", *options.zipf_theta) : "uniform",
      options.batch);
  absl::StrAppend(&table, absl::StrFormat("%-8s%12s%14s%11s%11s%11s%11s%10s\n", "", "calls/s",
                                          "keys/s", "p50", "p99", "p99.9", "max", "errors"));
  const auto happened = [](const Totals& totals) {
    return totals.calls() + totals.failed_calls() > 0;
  };
  if (happened(result.reads))
    absl::StrAppend(&table, TableRow("reads", result.reads, result.elapsed));
  if (happened(result.writes))
    absl::StrAppend(&table, TableRow("writes", result.writes, result.elapsed));
  if (happened(result.reads) == happened(result.writes))
    absl::StrAppend(&table, TableRow("all", sum, result.elapsed));
  absl::StrAppend(&table, "\n");
  if (options.reads()) {
    absl::StrAppend(&table, "hits    ", Grouped(result.reads.hits), "\nmisses  ",
                    Grouped(result.reads.keys - result.reads.hits), "\n");
  }
  for (const auto& [name, count] : Errors(sum))
    absl::StrAppend(&table, "errors  ", Grouped(count), " ", name, "\n");
  return table;
}

nlohmann::ordered_json RenderJson(const BenchOptions& options, const BenchResult& result) {
  nlohmann::ordered_json settings = {
      {"op", NameOf(options.op)},
      {"connections", options.connections},
      {"in_flight", options.in_flight},
      {"threads", options.threads},
      {"keys", options.keys},
      {"key_size", options.key_size},
      {"value_size", options.value_size},
      {"distribution", options.zipf_theta.has_value() ? "zipf" : "uniform"},
      {"batch", options.batch}};
  if (options.zipf_theta.has_value()) settings["zipf_theta"] = *options.zipf_theta;
  if (options.op == BenchOp::kMixed) settings["read_ratio"] = options.read_ratio;
  nlohmann::ordered_json json = {{"settings", settings},
                                 {"seconds", absl::ToDoubleSeconds(result.elapsed)},
                                 {"interrupted", result.interrupted}};
  json["all"] = JsonTotals(result.Sum(), result.elapsed);
  json["reads"] = JsonTotals(result.reads, result.elapsed);
  json["writes"] = JsonTotals(result.writes, result.elapsed);
  json["hits"] = result.reads.hits;
  json["misses"] = result.reads.keys - result.reads.hits;
  return json;
}

std::string RenderProgress(absl::Duration since_start, const Totals& recent,
                           absl::Duration interval, uint64_t failed_calls) {
  std::string line = absl::StrCat(RenderDuration(since_start), "  ",
                                  RateText(recent.calls(), interval), " calls/s");
  if (recent.keys > recent.calls())
    absl::StrAppend(&line, "  ", RateText(recent.keys, interval), " keys/s");
  absl::StrAppend(&line, "  p99 ", RenderLatency(recent.latency.Percentile(0.99)));
  if (failed_calls > 0) absl::StrAppend(&line, "  errors ", Grouped(failed_calls));
  return line;
}

}  // namespace ferrite::cli
