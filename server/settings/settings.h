#pragma once

// How a server is configured: flags, each of which may also come from the environment as
// FERRITE_<FLAG>, and some of which can change while it runs.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/events/event_limits.h"
#include "server/net/address.h"
#include "server/settings/cluster_settings.h"
#include "server/settings/flags.h"
#include "server/settings/machine.h"
#include "server/settings/tls_settings.h"

namespace ferrite {

// Checked: every value is one that the server can run with, and none contradicts another.
struct Settings {
  std::vector<Address> listen;
  std::vector<Address> http_listen;   // empty: no HTTP
  std::vector<Address> admin_listen;  // empty: administrators call where all others do
  mode_t unix_socket_mode = 0660;     // of the files of Unix domain sockets
  uint64_t max_memory_bytes = 0;      // 0: no limit
  bool evict = true;
  size_t shards = 0;  // 0: by cores and memory
  int threads = 1;
  uint64_t max_value_bytes = 0;
  size_t max_connections = 0;
  int max_concurrent_streams = 0;
  size_t max_streams = 0;
  uint64_t max_inflight_operations = 0;
  uint64_t max_inflight_bytes = 0;
  uint64_t connection_share_percent = 50;
  absl::Duration stalled_reply_timeout;
  uint64_t request_window_bytes = 0;
  std::string frame_guard;  // on, warn or off
  absl::Duration shutdown_grace;
  absl::Duration max_connection_age;                // zero: no limit
  std::optional<absl::Duration> slowlog_threshold;  // absent: no call is slow; zero: each is
  size_t slowlog_entries = 128;
  EventLimits events;
  TlsSettings tls;
  std::string policy_file;      // empty: everybody may do everything
  bool policy_in_etcd = false;  // what etcd has wins over the file
  std::string token_key_file;   // empty: there are no disposable tokens
  std::string audit_log;        // a file, or "-" for the log; empty: none
  std::string peer_token_file;  // empty: this node shows none to others
  bool insecure = false;        // other machines may be served without TLS or a policy
  // Listeners that other machines can reach, as "--listen=*:6380". Only LoadSettings() knows.
  std::vector<std::string> exposed;
  ClusterSettings cluster;
  bool json_log = false;
  std::string log_level;

  // What all of this was made of, by the name of the flag.
  FlagValues flags;
  Machine machine;
  // What the server can run with, but whoever configured it may not have meant: for the log and
  // for AdminService.Info.
  std::vector<std::string> warnings;
};

// Reads the command line, then, for what it leaves open, the environment, then the defaults
// (flag_source.h). INVALID_ARGUMENT, with the flag or variable and what is allowed in the text, for
// anything unknown or impossible, for flags that contradict each other, and for listeners that are
// not safe (exposure.h). What is a share is one of what `machine` has.
absl::StatusOr<Settings> LoadSettings(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment,
                                      const Machine& machine = Machine::This());

// The same for values that are known, which asks nobody what the names of hosts stand for.
absl::StatusOr<Settings> ReadSettings(const FlagValues& flags, const Machine& machine);

// What each setting came to, such as "158334976" where "70%" was asked for, by the name of the
// flag: bytes as digits, durations as in "1m30s".
std::map<std::string, std::string> InForce(const Settings& settings);

}  // namespace ferrite
