#include "client/cli/bench/report.h"

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/duration.h"
#include "client/cli/quantity.h"

namespace ferrite::cli {
namespace {

const char* NameOf(BenchOp op) {
  switch (op) {
    case BenchOp::kGet:
      return "get";
    case BenchOp::kSet:
      return "set";
    case BenchOp::kIncr:
      return "incr";
    case BenchOp::kMixed:
      return "mixed";
  }
  return "";
}

const char* NameOf(BenchMode mode) {
  switch (mode) {
    case BenchMode::kUnary:
      return "unary";
    case BenchMode::kMGet:
      return "mget";
    case BenchMode::kPipeline:
      return "pipeline";
    case BenchMode::kAuto:
      return "auto";
  }
  return "";
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

// Status codes such as "UNAVAILABLE" with their counts, without those that did not occur.
std::vector<std::pair<std::string, uint64_t>> Errors(const Totals& totals) {
  std::vector<std::pair<std::string, uint64_t>> errors;
  for (size_t code = 0; code < totals.errors.size(); ++code) {
    if (totals.errors[code] == 0) continue;
    errors.emplace_back(absl::StatusCodeToString(static_cast<absl::StatusCode>(code)),
                        totals.errors[code]);
  }
  return errors;
}

// Fits into 80 columns.
constexpr char kRowFormat[] = "%-7s%10s%14s%10s%10s%10s%10s%8s";

std::string TableRow(const std::string& name, const Totals& totals, absl::Duration elapsed) {
  const auto percentile = [&](double share) {
    return RenderLatency(totals.latency.Percentile(share));
  };
  return absl::StrFormat(kRowFormat, name, RateText(totals.calls(), elapsed),
                         RateText(totals.keys, elapsed), percentile(0.5), percentile(0.99),
                         percentile(0.999), RenderLatency(totals.latency.max()),
                         Grouped(totals.failed_calls()));
}

std::string TableTitle(const BenchOptions& options, const BenchResult& result) {
  const std::string distribution =
      options.zipf_theta.has_value() ? absl::StrFormat("zipf %g", *options.zipf_theta) : "uniform";
  return absl::StrCat(NameOf(options.mode), " ", NameOf(options.op),
                      result.interrupted ? " (interrupted)" : "", " in ",
                      RenderDuration(result.elapsed), ": connections ", options.connections,
                      ", in flight on each ", options.in_flight, ", threads ", options.threads,
                      ", keys ", Grouped(options.keys), " of ", options.key_size, " B, values of ",
                      options.value_size, " B, ", distribution, ", batch ", options.batch);
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
  std::vector<std::string> lines = {TableTitle(options, result), ""};
  const bool frames = options.mode == BenchMode::kPipeline;
  lines.push_back(absl::StrFormat(kRowFormat, "", frames ? "frames/s" : "calls/s",
                                  frames ? "operations/s" : "keys/s", "p50", "p99", "p99.9", "max",
                                  "errors"));
  const bool any_reads = result.reads.calls() + result.reads.failed_calls() > 0;
  const bool any_writes = result.writes.calls() + result.writes.failed_calls() > 0;
  if (any_reads) lines.push_back(TableRow("reads", result.reads, result.elapsed));
  if (any_writes) lines.push_back(TableRow("writes", result.writes, result.elapsed));
  if (any_reads == any_writes || result.mixed.calls() > 0)
    lines.push_back(TableRow("all", sum, result.elapsed));
  lines.push_back("");
  if (result.open.has_value()) {
    for (std::string& line : RenderOpenLines(*result.open, result.elapsed)) {
      lines.push_back(std::move(line));
    }
    return absl::StrJoin(lines, "\n");
  }
  if (options.reads()) {
    lines.push_back("hits    " + Grouped(result.reads.hits));
    lines.push_back("misses  " + Grouped(result.reads.keys - result.reads.hits));
  }
  for (const auto& [name, count] : Errors(sum)) {
    lines.push_back(absl::StrCat("errors  ", Grouped(count), " ", name));
  }
  return absl::StrJoin(lines, "\n");
}

nlohmann::ordered_json RenderJson(const BenchOptions& options, const BenchResult& result) {
  nlohmann::ordered_json settings = {
      {"mode", NameOf(options.mode)},
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
  if (result.open.has_value()) {
    json["settings"]["rate"] = *options.rate;
    json["open"] = RenderOpenJson(*result.open, result.elapsed);
  }
  return json;
}

std::string FailuresOf(const BenchResult& result) {
  const Totals sum = result.Sum();
  if (sum.failed_calls() == 0) return "";
  std::vector<std::string> kinds;
  for (const auto& [name, count] : Errors(sum)) kinds.push_back(Grouped(count) + " " + name);
  return absl::StrCat(
      Grouped(sum.failed_calls()),
      sum.failed_calls() == 1 ? " call failed: " : " calls failed: ", absl::StrJoin(kinds, ", "));
}

std::string RenderProgress(absl::Duration since_start, const Totals& recent,
                           absl::Duration interval, uint64_t failed_calls) {
  std::string line = absl::StrCat(RenderDuration(since_start), "  ",
                                  RateText(recent.calls(), interval), " calls/s");
  if (recent.keys > recent.calls()) {
    absl::StrAppend(&line, "  ", RateText(recent.keys, interval), " keys/s");
  }
  absl::StrAppend(&line, "  p99 ", RenderLatency(recent.latency.Percentile(0.99)));
  if (failed_calls > 0) absl::StrAppend(&line, "  errors ", Grouped(failed_calls));
  return line;
}

}  // namespace ferrite::cli
