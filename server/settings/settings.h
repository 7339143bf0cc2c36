#pragma once

// How a server is configured: flags, each of which may also come from the environment as
// FERRITE_<FLAG>.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/events/event_limits.h"
#include "server/net/address.h"

namespace ferrite {

// Checked: every value is one that the server can run with.
struct Settings {
  Address listen;
  std::optional<Address> http_listen;
  uint64_t max_memory_bytes = 0;  // 0: no limit
  bool evict = true;
  size_t shards = 0;  // 0: by cores and memory
  int threads = 1;
  uint64_t max_value_bytes = 0;
  size_t max_connections = 0;
  int max_concurrent_streams = 0;
  uint64_t max_inflight_operations = 0;
  uint64_t max_inflight_bytes = 0;
  uint64_t request_window_bytes = 0;
  absl::Duration shutdown_grace;
  absl::Duration max_connection_age;                // zero: no limit
  std::optional<absl::Duration> slowlog_threshold;  // absent: no call is slow; zero: each is
  size_t slowlog_entries = 128;
  EventLimits events;
  bool json_log = false;
  std::string log_level;

  // Every flag with its value in force, for the log and for AdminService.Info.
  std::map<std::string, std::string> by_flag;
};

// Reads the command line ("--max-memory=1GiB" or "--max-memory 1GiB"), then, for what it leaves
// open, the environment, then the defaults. INVALID_ARGUMENT, with the flag and what is allowed in
// the text, for anything unknown or impossible.
absl::StatusOr<Settings> LoadSettings(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment);

// A table of all flags, for --help.
std::string FlagHelp();

}  // namespace ferrite
