#pragma once

// What a TCP address that people write stands for: one or more socket addresses.

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/net/address.h"

namespace ferrite {

// One socket to be bound.
struct TcpTarget {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool v6_only = true;   // of IPv6: whether IPv4 stays outside
  bool by_name = false;  // the address was found by a name, which may have others
  bool instead = false;  // needed only where those before it could not be bound

  // Whether only this machine reaches it.
  bool IsLoopback() const;

  int family() const { return storage.ss_family; }
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
  void set_port(int port);
  std::string ToString() const;
};

// In the order in which they are to be tried, none of them twice; at least one. `v6_only`: "::"
// does not include IPv4. INVALID_ARGUMENT with the reason in the text if there is no such host.
absl::StatusOr<std::vector<TcpTarget>> TcpTargetsOf(const Address& address, bool v6_only);

// Whether other machines may reach it: not if it is a Unix domain socket, or if all addresses of
// the host are loopback. So may a host of which no address is known, as it may have one later. Asks
// the resolver for names, which may take a while.
bool LeadsBeyondLoopback(const Address& address);

// Whether `host` is an IPv4 address.
bool ParseV4(const std::string& host, in_addr* parsed);

// Whether this machine has IPv6 at all.
bool HasIpv6();

}  // namespace ferrite
