#include "server/net/tcp_targets.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/descriptor.h"

namespace ferrite {
namespace {

TcpTarget Target(const sockaddr* address, socklen_t size) {
  TcpTarget target;
  std::memcpy(&target.storage, address, size);
  target.size = size;
  return target;
}

TcpTarget EveryV6Address() {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_any;
  return Target(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

TcpTarget EveryV4Address() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  return Target(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

// One socket for both families; a kernel without IPv6 gets one for IPv4.
std::vector<TcpTarget> EveryAddress() {
  TcpTarget both = EveryV6Address();
  both.v6_only = false;
  TcpTarget v4 = EveryV4Address();
  v4.instead = true;
  return {both, v4};
}

bool IsLiteral(const std::string& host) {
  in_addr v4;
  in6_addr v6;
  return ParseV4(host, &v4) ||
         inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &v6) == 1;
}

bool SameAddress(const TcpTarget& a, const TcpTarget& b) {
  return a.size == b.size && std::memcmp(&a.storage, &b.storage, a.size) == 0;
}

}  // namespace

void TcpTarget::set_port(int port) {
  const in_port_t raw = htons(static_cast<uint16_t>(port));
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = raw;
  } else {
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = raw;
  }
}

bool TcpTarget::IsLoopback() const {
  const auto in_loopback = [](uint32_t v4) { return v4 >> 24 == IN_LOOPBACKNET; };
  if (family() == AF_INET)
    return in_loopback(ntohl(reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr.s_addr));
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) ||
         (IN6_IS_ADDR_V4MAPPED(&v6) && in_loopback(ntohl(v6.s6_addr32[3])));
}

std::string TcpTarget::ToString() const {
  char host[NI_MAXHOST];
  if (getnameinfo(address(), size, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) != 0) return "?";
  return host;
}

absl::StatusOr<std::vector<TcpTarget>> TcpTargetsOf(const Address& address, bool v6_only) {
  if (address.IsEveryAddress()) {
    return v6_only ? std::vector{EveryV6Address()} : EveryAddress();
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot resolve ", address.host, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> infos(found, freeaddrinfo);
  std::vector<TcpTarget> targets;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
    TcpTarget target = Target(info->ai_addr, info->ai_addrlen);
    target.by_name = !IsLiteral(address.host);
    if (std::none_of(targets.begin(), targets.end(),
                     [&](const TcpTarget& other) { return SameAddress(target, other); })) {
      targets.push_back(target);
    }
  }
  if (targets.empty())
    return absl::InvalidArgumentError(absl::StrCat(address.host, " has no IP address"));
  return targets;
}

bool LeadsBeyondLoopback(const Address& address) {
  if (address.kind != Address::Kind::kTcp) return false;
  const absl::StatusOr<std::vector<TcpTarget>> targets = TcpTargetsOf(address, true);
  return !targets.ok() || !std::all_of(targets->begin(), targets->end(),
                                       [](const TcpTarget& target) { return target.IsLoopback(); });
}

bool ParseV4(const std::string& host, in_addr* parsed) {
  return inet_pton(AF_INET, host.c_str(), parsed) == 1;
}

bool HasIpv6() {
  const Descriptor made(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  return made.valid() &&
         bind(made.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof(loopback)) == 0;
}

}  // namespace ferrite
