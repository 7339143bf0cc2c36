#include "client/check_options.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

// More would be a list of all nodes, which clients learn by themselves.
constexpr size_t kMostSeeds = 64;

// Whether this looks like an IPv6 address, with or without a port behind it, that has no brackets.
bool IsBareIpv6(std::string_view text) {
  return std::count(text.begin(), text.end(), ':') > 1 &&
         text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
}

}  // namespace

absl::Status CheckAddress(const std::string& address) {
  if (IsBareIpv6(address)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", address, "\" is not clear: an IPv6 address stands in brackets, as in [::1]:6380"));
  }
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is not an address of the form host:port or unix:path"));
  }
  if (absl::StartsWith(address, "unix:") || absl::StartsWith(address, "unix-abstract:"))
    return absl::OkStatus();
  // gRPC would take what is no number for the name of a service, and a number modulo 65536.
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\": the port is not a number from 1 to 65535"));
  }
  return absl::OkStatus();
}

absl::Status CheckNamespace(const std::string& name) {
  constexpr size_t kMostBytes = 64;
  const bool is_name = std::all_of(name.begin(), name.end(), [](char letter) {
    return absl::ascii_islower(letter) || absl::ascii_isdigit(letter) || letter == '-' ||
           letter == '_' || letter == '.';
  });
  if (is_name && name.size() <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("name_space: a namespace has up to ", kMostBytes,
                   " of the letters a to z, digits, '-', '_' and '.'"));
}

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.seeds.empty() || options.seeds.size() > kMostSeeds) {
    return absl::InvalidArgumentError(
        absl::StrCat("seeds must be 1 to ", kMostSeeds, " addresses, not ", options.seeds.size()));
  }
  for (const std::string& seed : options.seeds) {
    if (absl::Status status = CheckAddress(seed); !status.ok()) return status;
  }
  if (absl::Status status = CheckNamespace(options.name_space); !status.ok()) return status;
  if (options.default_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("default_timeout must be above 0");
  }
  const RetryPolicy& retry = options.retry;
  if (retry.max_attempts < 1) {
    return absl::InvalidArgumentError("retry.max_attempts must be at least 1");
  }
  if (retry.initial_backoff <= absl::ZeroDuration() || retry.max_backoff < retry.initial_backoff) {
    return absl::InvalidArgumentError(
        "retry.initial_backoff must be above 0 and not above retry.max_backoff");
  }
  if (options.channels_per_node < 1 || options.channels_per_node > 64) {
    return absl::InvalidArgumentError("channels_per_node must be 1 to 64");
  }
  if (options.completion_threads < 1 || options.completion_threads > 64) {
    return absl::InvalidArgumentError("completion_threads must be 1 to 64");
  }
  const int frames = options.batching.max_frames_in_flight;
  if (frames < 1 || frames > 64) {
    return absl::InvalidArgumentError("batching.max_frames_in_flight must be 1 to 64");
  }
  return absl::OkStatus();
}

}  // namespace ferrite
