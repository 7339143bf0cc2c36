#include "server/cluster/etcd_endpoints.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ferrite::cluster {
namespace {

constexpr size_t kMaxEndpointBytes = 512;

absl::StatusOr<std::string> ParseEndpoint(std::string_view text) {
  const auto refuse = [&](const char* why) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(text.substr(0, 80)), "\" ", why,
                     "; an endpoint is HOST:PORT or http://HOST:PORT, as in 10.0.0.7:2379"));
  };
  std::string_view address = text;
  if (address.starts_with("https://")) return refuse("asks for TLS, which is not supported");
  if (address.starts_with("http://")) address.remove_prefix(7);
  if (address.ends_with('/')) address.remove_suffix(1);
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return refuse("has no port");
  if (address.size() > kMaxEndpointBytes) return refuse("is too long");
  const std::string_view host = address.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (!bracketed && host.find(':') != std::string_view::npos &&
      host.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos)
    return refuse("has an IPv6 address without brackets, as in [::1]:2379");
  if (!bracketed && host.find_first_of("[]:/@?# \t") != std::string_view::npos)
    return refuse("has a host that is none");
  int port = 0;
  const std::string digits(address.substr(colon + 1));
  if (!absl::SimpleAtoi(digits, &port) || port < 1 || port > 65535)
    return refuse("has a port that is not from 1 to 65535");
  return std::string(address);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseEtcdEndpoints(std::string_view text) {
  std::vector<std::string> addresses;
  for (const auto& part : absl::StrSplit(std::string(text), ',')) {
    absl::StatusOr<std::string> address = ParseEndpoint(std::string(part));
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
  }
  if (addresses.size() > kMaxEtcdEndpoints)
    return absl::InvalidArgumentError(
        absl::StrCat(addresses.size(), " endpoints; at most ", kMaxEtcdEndpoints, " are allowed"));
  return addresses;
}

}  // namespace ferrite::cluster
