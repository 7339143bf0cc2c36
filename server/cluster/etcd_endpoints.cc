#include "server/cluster/etcd_endpoints.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ferrite::cluster {
namespace {

constexpr size_t kMaxEndpointBytes = 512;
constexpr std::string_view kPlain = "http://";
constexpr std::string_view kOverTls = "https://";

absl::StatusOr<std::string> ParseEndpoint(std::string_view text) {
  const auto refuse = [&](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", std::string(text.substr(0, 80)), "\" ", why,
        "; an endpoint is HOST:PORT, http://HOST:PORT or https://HOST:PORT, as in 10.0.0.7:2379"));
  };
  std::string_view address = text;
  if (address.starts_with(kOverTls)) {
    address.remove_prefix(kOverTls.size());
  } else if (address.starts_with(kPlain)) {
    address.remove_prefix(kPlain.size());
  }
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

absl::StatusOr<EtcdEndpoints> ParseEtcdEndpoints(std::string_view text) {
  EtcdEndpoints endpoints;
  size_t over_tls = 0;
  for (const auto& part : absl::StrSplit(std::string(text), ',')) {
    absl::StatusOr<std::string> address = ParseEndpoint(std::string(part));
    if (!address.ok()) return address.status();
    endpoints.addresses.push_back(*std::move(address));
    over_tls += std::string_view(part.data(), part.size()).starts_with(kOverTls) ? 1 : 0;
  }
  const size_t count = endpoints.addresses.size();
  if (count > kMaxEtcdEndpoints)
    return absl::InvalidArgumentError(
        absl::StrCat(count, " endpoints; at most ", kMaxEtcdEndpoints, " are allowed"));
  if (over_tls != 0 && over_tls != count)
    return absl::InvalidArgumentError("either all endpoints are https:// or none is");
  endpoints.over_tls = over_tls != 0;
  return endpoints;
}

}  // namespace ferrite::cluster
