#include "server/settings/settings.h"

#include <algorithm>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/admission/inflight_budget.h"
#include "server/settings/flag_source.h"
#include "server/settings/machine.h"
#include "server/settings/quantity.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:6380",
          "HOST:PORT to serve gRPC on; port 0 takes any that is free");
ABSL_FLAG(std::string, http_listen, "127.0.0.1:6381",
          "HOST:PORT for /metrics, /healthz and /readyz; empty: none");
ABSL_FLAG(std::string, max_memory, "75%",
          "memory for entries: an amount such as 2GiB, a share of what the machine or container "
          "has, or 0 for no limit");
ABSL_FLAG(std::string, eviction, "s3-fifo",
          "what a full store does: s3-fifo evicts, noeviction refuses writes");
ABSL_FLAG(int, shards, 0,
          "shards of the store, rounded up to a power of two; 0: by cores and memory");
ABSL_FLAG(int, threads, 0, "serving threads; 0: one for each core that the process may use");
ABSL_FLAG(std::string, max_value_bytes, "1MiB", "largest value that is accepted");
ABSL_FLAG(int, max_connections, 10000, "connections at a time; more are closed on arrival");
ABSL_FLAG(int, max_concurrent_streams, 1024, "calls in progress per connection");
ABSL_FLAG(int, max_inflight_operations, 65536,
          "operations taken up whose answers are not out; more are refused");
ABSL_FLAG(std::string, max_inflight_bytes, "5%",
          "memory for requests and replies in progress, beside that for entries: an amount or a "
          "share; more are refused");
ABSL_FLAG(std::string, request_window_bytes, "64MiB",
          "memory for the outcomes of calls with a request_id");
ABSL_FLAG(absl::Duration, shutdown_grace, absl::Seconds(10),
          "how long calls in progress may take to end after SIGTERM");
ABSL_FLAG(absl::Duration, max_connection_age, absl::ZeroDuration(),
          "ask clients to reconnect after this long, so that they find new nodes; 0: never");
ABSL_FLAG(std::string, slowlog_threshold, "10ms",
          "keep calls that take this long for SlowLog, such as 250us; 0: every call, off: none");
ABSL_FLAG(int, slowlog_entries, 128,
          "slow calls to keep, and as many that only waited; the oldest go first");
ABSL_FLAG(int, max_subscribers, 100000, "subscriptions at a time; more are refused");
ABSL_FLAG(int, subscriber_queue_events, 4096, "events that may wait for one subscription");
ABSL_FLAG(std::string, subscriber_queue_bytes, "1MiB",
          "bytes of events that may wait for one subscription");
ABSL_FLAG(std::string, subscriber_total_bytes, "3%",
          "bytes of events that may wait for all subscriptions, beside the memory for entries: an "
          "amount or a share");
ABSL_FLAG(int, history_events, 65536,
          "events kept for subscriptions that are resumed or have fallen behind");
ABSL_FLAG(std::string, history_bytes, "2%",
          "bytes of these events, beside the memory for entries: an amount or a share");
ABSL_FLAG(absl::Duration, subscription_linger, absl::Seconds(60),
          "how long events are recorded for a subscription that has ended, so that it can be "
          "resumed");
ABSL_FLAG(std::string, log_format, "text", "text or json");
ABSL_FLAG(std::string, log_level, "info", "debug, info, warning or error");

namespace ferrite {
namespace {

const std::vector<std::string>& FlagNames() {
  static const std::vector<std::string> names = {"listen",
                                                 "http_listen",
                                                 "max_memory",
                                                 "eviction",
                                                 "shards",
                                                 "threads",
                                                 "max_value_bytes",
                                                 "max_connections",
                                                 "max_concurrent_streams",
                                                 "max_inflight_operations",
                                                 "max_inflight_bytes",
                                                 "request_window_bytes",
                                                 "shutdown_grace",
                                                 "max_connection_age",
                                                 "slowlog_threshold",
                                                 "slowlog_entries",
                                                 "max_subscribers",
                                                 "subscriber_queue_events",
                                                 "subscriber_queue_bytes",
                                                 "subscriber_total_bytes",
                                                 "history_events",
                                                 "history_bytes",
                                                 "subscription_linger",
                                                 "log_format",
                                                 "log_level"};
  return names;
}

constexpr uint64_t kMinMemoryBytes = uint64_t{16} << 20;
constexpr uint64_t kMinInflightBytes = uint64_t{1} << 20;
constexpr uint64_t kMinEventBytes = uint64_t{64} << 10;
constexpr uint64_t kMaxMaxValueBytes = uint64_t{64} << 20;

// Collects the first complaint, so that the checks below read as a list.
class Checker {
 public:
  void Require(bool holds, const std::string& flag, const std::string& complaint) {
    if (!holds && status_.ok())
      status_ = absl::InvalidArgumentError(absl::StrCat(FlagName(flag), ": ", complaint));
  }
  template <typename T>
  T Value(const std::string& flag, absl::StatusOr<T> parsed) {
    Require(parsed.ok(), flag, std::string(parsed.status().message()));
    return parsed.ok() ? *std::move(parsed) : T();
  }
  template <typename T>
  T InRange(const std::string& flag, T value, T min, T max) {
    Require(value >= min && value <= max, flag,
            absl::StrCat(value, " is not from ", min, " to ", max));
    return value;
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

void LoadInflight(Checker* check, Settings* settings) {
  settings->max_inflight_operations = static_cast<uint64_t>(
      check->InRange("max_inflight_operations", absl::GetFlag(FLAGS_max_inflight_operations), 1,
                     static_cast<int>(InflightBudget::kMaxOperations)));
  const uint64_t bytes = check->Value(
      "max_inflight_bytes",
      ParseBytesOrShare(absl::GetFlag(FLAGS_max_inflight_bytes), AvailableMemoryBytes()));
  settings->max_inflight_bytes = std::min(bytes, InflightBudget::kMaxBytes);
  check->Require(bytes >= kMinInflightBytes, "max_inflight_bytes",
                 absl::StrCat(bytes, " bytes are too few; the least is 1MiB"));
}

void LoadEvents(Checker* check, Settings* settings) {
  EventLimits& events = settings->events;
  const auto count = [&](const char* flag, int value) {
    return static_cast<uint64_t>(check->InRange(flag, value, 1, 1 << 24));
  };
  const auto bytes = [&](const char* flag, const std::string& value) {
    const uint64_t parsed = check->Value(flag, ParseBytesOrShare(value, AvailableMemoryBytes()));
    check->Require(parsed >= kMinEventBytes, flag,
                   absl::StrCat(parsed, " bytes are too few; the least is 64KiB"));
    return parsed;
  };
  events.subscribers = count("max_subscribers", absl::GetFlag(FLAGS_max_subscribers));
  events.queue = {count("subscriber_queue_events", absl::GetFlag(FLAGS_subscriber_queue_events)),
                  bytes("subscriber_queue_bytes", absl::GetFlag(FLAGS_subscriber_queue_bytes))};
  events.subscriber_bytes =
      bytes("subscriber_total_bytes", absl::GetFlag(FLAGS_subscriber_total_bytes));
  events.history = {count("history_events", absl::GetFlag(FLAGS_history_events)),
                    bytes("history_bytes", absl::GetFlag(FLAGS_history_bytes))};
  const absl::Duration linger = absl::GetFlag(FLAGS_subscription_linger);
  check->Require(linger >= absl::ZeroDuration() && linger <= absl::Hours(24), "subscription_linger",
                 "must be from 0 to 24h, such as 60s");
  events.linger = absl::ToChronoMilliseconds(linger);
}

}  // namespace

absl::StatusOr<Settings> LoadSettings(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment) {
  if (absl::Status status = SetFlags(FlagNames(), arguments, environment); !status.ok())
    return status;
  Checker check;
  Settings settings;
  settings.listen = check.Value("listen", ParseAddress(absl::GetFlag(FLAGS_listen)));
  if (const std::string http = absl::GetFlag(FLAGS_http_listen); !http.empty()) {
    settings.http_listen = check.Value("http_listen", ParseAddress(http));
  }
  settings.max_memory_bytes = check.Value(
      "max_memory", ParseBytesOrShare(absl::GetFlag(FLAGS_max_memory), AvailableMemoryBytes()));
  check.Require(settings.max_memory_bytes == 0 || settings.max_memory_bytes >= kMinMemoryBytes,
                "max_memory",
                absl::StrCat(settings.max_memory_bytes,
                             " bytes are too few; the least is 16MiB, and 0 means no limit"));
  const std::string eviction = absl::GetFlag(FLAGS_eviction);
  check.Require(eviction == "s3-fifo" || eviction == "noeviction", "eviction",
                absl::StrCat("'", eviction, "' is neither s3-fifo nor noeviction"));
  settings.evict = eviction == "s3-fifo";
  settings.shards =
      static_cast<size_t>(check.InRange("shards", absl::GetFlag(FLAGS_shards), 0, 4096));
  settings.threads = check.InRange("threads", absl::GetFlag(FLAGS_threads), 0, 1024);
  if (settings.threads == 0) settings.threads = AvailableCores();
  settings.max_value_bytes = check.InRange(
      "max_value_bytes",
      check.Value("max_value_bytes", ParseBytes(absl::GetFlag(FLAGS_max_value_bytes))), uint64_t{1},
      kMaxMaxValueBytes);
  settings.max_connections = static_cast<size_t>(
      check.InRange("max_connections", absl::GetFlag(FLAGS_max_connections), 1, 1'000'000));
  settings.max_concurrent_streams = check.InRange(
      "max_concurrent_streams", absl::GetFlag(FLAGS_max_concurrent_streams), 1, 1'000'000);
  LoadInflight(&check, &settings);
  settings.request_window_bytes =
      check.Value("request_window_bytes", ParseBytes(absl::GetFlag(FLAGS_request_window_bytes)));
  settings.shutdown_grace = absl::GetFlag(FLAGS_shutdown_grace);
  check.Require(
      settings.shutdown_grace >= absl::ZeroDuration() && settings.shutdown_grace <= absl::Hours(1),
      "shutdown_grace", "must be from 0 to 1h, such as 10s");
  settings.max_connection_age = absl::GetFlag(FLAGS_max_connection_age);
  check.Require(settings.max_connection_age >= absl::ZeroDuration(), "max_connection_age",
                "must not be negative");
  settings.slowlog_threshold =
      check.Value("slowlog_threshold", ParseDurationOrOff(absl::GetFlag(FLAGS_slowlog_threshold)));
  settings.slowlog_entries = static_cast<size_t>(
      check.InRange("slowlog_entries", absl::GetFlag(FLAGS_slowlog_entries), 1, 10'000));
  LoadEvents(&check, &settings);
  const std::string format = absl::GetFlag(FLAGS_log_format);
  check.Require(format == "text" || format == "json", "log_format",
                absl::StrCat("'", format, "' is neither text nor json"));
  settings.json_log = format == "json";
  settings.log_level = absl::GetFlag(FLAGS_log_level);
  const std::vector<std::string> levels = {"debug", "info", "warning", "error"};
  check.Require(std::find(levels.begin(), levels.end(), settings.log_level) != levels.end(),
                "log_level",
                absl::StrCat("'", settings.log_level, "' is not debug, info, warning or error"));
  if (!check.status().ok()) return check.status();
  for (const std::string& name : FlagNames()) {
    settings.by_flag[FlagName(name).substr(2)] = absl::FindCommandLineFlag(name)->CurrentValue();
  }
  return settings;
}

std::string FlagHelp() {
  std::string help;
  for (const std::string& name : FlagNames()) {
    const absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    absl::StrAppend(&help,
                    absl::StrFormat("  %-26s %s (default: %s)\n", FlagName(name), flag->Help(),
                                    flag->DefaultValue().empty() ? "none" : flag->DefaultValue()));
  }
  return help;
}

}  // namespace ferrite
