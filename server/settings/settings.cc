#include "server/settings/settings.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/byte_amount.h"
#include "server/admission/inflight_budget.h"
#include "server/settings/contradictions.h"
#include "server/settings/exposure.h"
#include "server/settings/file_mode.h"
#include "server/settings/flag_reader.h"
#include "server/settings/flag_source.h"
#include "server/settings/memory_plan.h"
#include "server/settings/quantity.h"

namespace ferrite {
namespace {

constexpr uint64_t kKiB = uint64_t{1} << 10;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kTiB = uint64_t{1} << 40;

// What the store can address, whatever the machine has.
constexpr Range kMemoryRange = {16 * kMiB, 16 * kTiB};
constexpr Range kValue = {1, 64 * kMiB};
constexpr Range kInflight = {kMiB, InflightBudget::kMaxBytes};
constexpr Range kWindow = {4 * kKiB, kTiB};
constexpr Range kEventBytes = {64 * kKiB, kTiB};
constexpr Range kEventCount = {1, 1 << 24};

// gRPC counts it in milliseconds, as an int. Younger connections would end before they are of use.
constexpr absl::Duration kMinConnectionAge = absl::Seconds(1);
constexpr absl::Duration kMaxConnectionAge = absl::Hours(480);
// Of what counts in milliseconds.
constexpr absl::Duration kMillisecond = absl::Milliseconds(1);

// Counts of which 0 stands for as many as memory has room for.
struct Countable {
  std::string_view name;
  uint64_t percent;
  uint64_t each_bytes;
  uint64_t most;          // by default
  uint64_t most_allowed;  // when somebody says so
};
Countable Connections(bool over_tls) {
  return {"max-connections", 4, ConnectionBytes(over_tls), 10'000, 1'000'000};
}
// Of streams there are more than of connections, so that each may have one.
constexpr Countable kStreams = {"max-streams", 4, kStreamBytes, 100'000, 1 << 24};
constexpr Countable kSubscribers = {"max-subscribers", 2, kSubscriptionBytes, 100'000, 1 << 24};

class Loader {
 public:
  Loader(const FlagValues& flags, const Machine& machine) : reader_(flags) {
    settings_.flags = flags;
    settings_.machine = machine;
  }

  absl::StatusOr<Settings> Load() {
    LoadThreads();
    LoadStore();
    LoadServing();
    LoadEvents();
    LoadLog();
    settings_.tls = ReadTlsSettings(&reader_, settings_.max_connections);
    settings_.policy_file = ReadPath("policy");
    settings_.insecure = reader_.Choice("insecure", {"yes", "no"}) == "yes";
    settings_.policy_in_etcd = reader_.Choice("policy-in-etcd", {"yes", "no"}) == "yes";
    reader_.Require(!settings_.policy_in_etcd || !settings_.policy_file.empty(), "policy-in-etcd",
                    "needs policy: the file that is in force until a policy was put into etcd, so "
                    "that somebody has the right to do that");
    reader_.Require(!settings_.policy_in_etcd || !reader_.Text("cluster-name").empty(),
                    "policy-in-etcd", "is for a node of a cluster: set cluster-name as well");
    settings_.token_key_file = ReadPath("token-key");
    reader_.Require(settings_.token_key_file.empty() || !settings_.policy_file.empty(), "token-key",
                    "is for tokens with a part of somebody's rights: set policy as well");
    settings_.audit_log = ReadPath("audit-log");
    reader_.Require(settings_.audit_log.empty() || !settings_.policy_file.empty(), "audit-log",
                    "tells of what a policy denies: set policy as well");
    settings_.peer_token_file = ReadPath("peer-token-file");
    settings_.cluster = ReadClusterSettings(&reader_, settings_.listen, &settings_.warnings);
    // With the authorities of its clients a node shows others its certificate.
    if (!settings_.cluster.name.empty() && !settings_.policy_file.empty() &&
        settings_.peer_token_file.empty() && settings_.tls.files.client_ca.empty()) {
      settings_.warnings.push_back(
          "other nodes with a policy will refuse what this one forwards: set peer-token-file");
    }
    CheckContradictions(&reader_, &settings_);
    if (!reader_.status().ok()) return reader_.status();
    return std::move(settings_);
  }

 private:
  // First, as shares are of what they leave.
  void LoadThreads() {
    const Limit& memory = settings_.machine.memory_bytes;
    settings_.threads = static_cast<int>(reader_.Count("threads", {0, 1024}));
    if (settings_.threads == 0) settings_.threads = DefaultThreads(settings_.machine);
    shareable_ = ShareableBytes(memory.amount, settings_.threads);
    reader_.SetWhole(shareable_, absl::StrCat("what the program leaves of ",
                                              RenderBytes(memory.amount), " of ", memory.source));
    reader_.Require(!reader_.IsSet("threads") || shareable_ > 0, "threads",
                    absl::StrCat(settings_.threads, " threads and the program need all of the ",
                                 RenderBytes(memory.amount), " of ", memory.source));
  }

  void LoadStore() {
    settings_.max_memory_bytes = reader_.BytesOrShareOrNone("max-memory", kMemoryRange);
    settings_.evict = reader_.Choice("eviction", {"s3-fifo", "noeviction"}) == "s3-fifo";
    settings_.shards = reader_.Count("shards", {0, 4096});
    settings_.max_value_bytes = reader_.Bytes("max-value-bytes", kValue);
  }

  void LoadServing() {
    settings_.listen = reader_.Value("listen", ParseAddresses(reader_.Text("listen")));
    if (const std::string& http = reader_.Text("http-listen"); !http.empty())
      settings_.http_listen = reader_.Value("http-listen", ParseAddresses(http));
    if (const std::string& admin = reader_.Text("admin-listen"); !admin.empty())
      settings_.admin_listen = reader_.Value("admin-listen", ParseAddresses(admin));
    settings_.unix_socket_mode =
        reader_.Value("unix-socket-mode", ParseFileMode(reader_.Text("unix-socket-mode")));
    settings_.max_connections = Count(Connections(!reader_.Text("tls-cert").empty()));
    settings_.max_concurrent_streams =
        static_cast<int>(reader_.Count("max-concurrent-streams", {1, 1'000'000}));
    settings_.max_streams = Count(kStreams);
    settings_.max_inflight_operations =
        reader_.Count("max-inflight-operations", {1, InflightBudget::kMaxOperations});
    settings_.max_inflight_bytes = reader_.BytesOrShare("max-inflight-bytes", kInflight);
    if (!reader_.IsSet("max-inflight-bytes")) {
      settings_.max_inflight_bytes =
          std::max(settings_.max_inflight_bytes, LargestCallBytes(settings_.max_value_bytes));
    }
    settings_.connection_share_percent =
        reader_.Value("connection-share", ParseShare(reader_.Text("connection-share")));
    settings_.stalled_reply_timeout =
        reader_.Duration("stalled-reply-timeout", absl::Seconds(1), absl::Hours(24));
    settings_.request_window_bytes = reader_.BytesOrShare("request-window-bytes", kWindow);
    settings_.frame_guard = reader_.Choice("frame-guard", {"on", "warn", "off"});
    settings_.shutdown_grace = reader_.Duration("shutdown-grace", kMillisecond, absl::Hours(1));
    settings_.max_connection_age =
        reader_.Duration("max-connection-age", kMinConnectionAge, kMaxConnectionAge);
  }

  void LoadEvents() {
    EventLimits& events = settings_.events;
    events.subscribers = Count(kSubscribers);
    events.subscriber_bytes = reader_.BytesOrShare("subscriber-total-bytes", kEventBytes);
    events.connection_percent = settings_.connection_share_percent;
    events.queue = {reader_.Count("subscriber-queue-events", kEventCount),
                    reader_.Bytes("subscriber-queue-bytes", kEventBytes)};
    if (!reader_.IsSet("subscriber-queue-bytes"))
      events.queue.bytes = std::min(events.queue.bytes, events.subscriber_bytes);
    events.history = {reader_.Count("history-events", kEventCount),
                      reader_.BytesOrShare("history-bytes", kEventBytes)};
    events.linger = absl::ToChronoMilliseconds(
        reader_.Duration("subscription-linger", kMillisecond, absl::Hours(24)));
  }

  void LoadLog() {
    settings_.slowlog_threshold = reader_.DurationOrOff("slowlog-threshold", absl::Hours(24));
    settings_.slowlog_entries = reader_.Count("slowlog-entries", {1, 10'000});
    settings_.json_log = reader_.Choice("log-format", {"text", "json"}) == "json";
    settings_.log_level = reader_.Choice("log-level", {"debug", "info", "warning", "error"});
  }

  std::string ReadPath(std::string_view flag) {
    const std::string& path = reader_.Text(flag);
    reader_.Require(std::none_of(path.begin(), path.end(), absl::ascii_iscntrl), flag,
                    "a path has no control characters");
    return path;
  }

  uint64_t Count(const Countable& what) {
    const uint64_t count = reader_.Count(what.name, {0, what.most_allowed});
    return count != 0 ? count : DefaultCount(shareable_, what.percent, what.each_bytes, what.most);
  }

  FlagReader reader_;
  Settings settings_;
  uint64_t shareable_ = 0;
};

}  // namespace

absl::StatusOr<Settings> ReadSettings(const FlagValues& flags, const Machine& machine) {
  return Loader(flags, machine).Load();
}

absl::StatusOr<Settings> LoadSettings(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment,
                                      const Machine& machine) {
  const absl::StatusOr<FlagValues> flags = ReadFlags(arguments, environment);
  if (!flags.ok()) return flags.status();
  absl::StatusOr<Settings> settings = ReadSettings(*flags, machine);
  if (!settings.ok()) return settings;
  settings->exposed = ExposedListeners(*settings);
  if (absl::Status status = CheckExposure(*settings); !status.ok()) return status;
  if (const std::optional<std::string> warning = ExposureWarning(*settings); warning.has_value())
    settings->warnings.insert(settings->warnings.begin(), *warning);
  return settings;
}

std::map<std::string, std::string> InForce(const Settings& settings) {
  std::map<std::string, std::string> values;
  // Where nothing is computed, what was asked for is in force.
  for (const auto& [name, value] : settings.flags) values[name] = value.text;
  const auto set = [&](const char* name, uint64_t number) { values[name] = absl::StrCat(number); };
  set("max-memory", settings.max_memory_bytes);
  set("threads", static_cast<uint64_t>(settings.threads));
  set("shards", settings.shards);
  set("max-value-bytes", settings.max_value_bytes);
  set("max-connections", settings.max_connections);
  set("max-streams", settings.max_streams);
  set("max-inflight-bytes", settings.max_inflight_bytes);
  set("request-window-bytes", settings.request_window_bytes);
  set("max-subscribers", settings.events.subscribers);
  set("subscriber-queue-bytes", settings.events.queue.bytes);
  set("subscriber-total-bytes", settings.events.subscriber_bytes);
  set("history-bytes", settings.events.history.bytes);
  values["shutdown-grace"] = absl::FormatDuration(settings.shutdown_grace);
  values["stalled-reply-timeout"] = absl::FormatDuration(settings.stalled_reply_timeout);
  values["max-connection-age"] = absl::FormatDuration(settings.max_connection_age);
  set("max-handshakes", settings.tls.most_handshakes);
  values["node-id"] = settings.cluster.node_id;
  values["slowlog-threshold"] = settings.slowlog_threshold.has_value()
                                    ? absl::FormatDuration(*settings.slowlog_threshold)
                                    : "off";
  return values;
}

}  // namespace ferrite
