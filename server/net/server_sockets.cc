#include "server/net/server_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "server/net/tcp_targets.h"
#include "server/net/unix_socket.h"

namespace ferrite {
namespace {

constexpr int kBacklog = 1024;
// Port 0 stands for one port in both families; another program may have it in the second.
constexpr int kPortTries = 20;

absl::Status CannotListen(const Address& address, const std::string& why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address.ToString(), ": ", why));
}

int PortOf(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

// A listening socket, or none with errno set.
Descriptor ListenOn(const TcpTarget& target) {
  Descriptor made(socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.valid()) return made;
  const int on = 1;
  setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // connections inherit it
  const int v6_only = target.v6_only;
  if (target.family() == AF_INET6)
    setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only));
  if (bind(made.get(), target.address(), target.size) != 0 || listen(made.get(), kBacklog) != 0)
    made.Close();
  return made;
}

// Whether the machine does not have what the target needs, so that others may do without it.
bool IsMissing(const TcpTarget& target, int error) {
  return error == EAFNOSUPPORT || (error == EADDRNOTAVAIL && target.by_name) ||
         (error == EADDRNOTAVAIL && target.family() == AF_INET6 && !HasIpv6());
}

bool IsV4(const Address& address) {
  in_addr parsed;
  return address.kind == Address::Kind::kTcp && ParseV4(address.host, &parsed);
}

}  // namespace

absl::Status ServerSockets::Listen(const std::vector<Address>& addresses, mode_t unix_mode) {
  const size_t before = descriptors_.size();
  for (const Address& address : addresses) {
    absl::Status status;
    switch (address.kind) {
      case Address::Kind::kUnix:
        status = ListenUnix(address, unix_mode);
        break;
      case Address::Kind::kAbstract:
        status = ListenAbstract(address);
        break;
      case Address::Kind::kTcp:
        status = ListenTcp(
            address, std::any_of(addresses.begin(), addresses.end(), [&](const Address& other) {
              return address.host == "::" && IsV4(other) && other.port == address.port;
            }));
        break;
    }
    if (!status.ok()) return status;
  }
  if (descriptors_.size() == before)
    return CannotListen(addresses.front(), ErrorText(EAFNOSUPPORT));
  return absl::OkStatus();
}

absl::Status ServerSockets::ListenTcp(const Address& address, bool v6_only) {
  const absl::StatusOr<std::vector<TcpTarget>> targets = TcpTargetsOf(address, v6_only);
  if (!targets.ok()) return targets.status();
  int error = 0;
  for (int tries = 0; tries < kPortTries; ++tries) {
    int port = address.port;
    std::vector<Descriptor> bound;
    error = 0;
    for (TcpTarget target : *targets) {
      if (!bound.empty() && target.instead) continue;
      target.set_port(port);
      if (Descriptor made = ListenOn(target); made.valid()) {
        port = PortOf(made.get());
        bound.push_back(std::move(made));
        continue;
      }
      const int cause = errno;
      if (!IsMissing(target, cause)) {
        error = cause;
        break;
      }
      spdlog::info("{} is not there ({}): left out of {}", target.ToString(), ErrorText(cause),
                   address.ToString());
    }
    if (error == 0 && !bound.empty()) {
      std::move(bound.begin(), bound.end(), std::back_inserter(descriptors_));
      addresses_.push_back({.host = address.host, .port = port});
      return absl::OkStatus();
    }
    if (error != EADDRINUSE || address.port != 0 || bound.empty()) break;
  }
  if (error != 0) return CannotListen(address, ErrorText(error));
  // None of its addresses is there, which is all right as long as others are.
  const bool literal = !targets->front().by_name;
  return literal ? absl::OkStatus() : CannotListen(address, ErrorText(EADDRNOTAVAIL));
}

absl::Status ServerSockets::ListenUnix(const Address& address, mode_t mode) {
  absl::StatusOr<UnixSocket> made = ListenOnPath(address.host, mode, kBacklog);
  if (!made.ok()) return CannotListen(address, std::string(made.status().message()));
  descriptors_.push_back(std::move(made->descriptor));
  addresses_.push_back(address);
  files_.push_back({address.host, made->device, made->inode});
  return absl::OkStatus();
}

absl::Status ServerSockets::ListenAbstract(const Address& address) {
  absl::StatusOr<Descriptor> made = ListenOnName(address.host, kBacklog);
  if (!made.ok()) return CannotListen(address, std::string(made.status().message()));
  descriptors_.push_back(*std::move(made));
  addresses_.push_back(address);
  return absl::OkStatus();
}

std::vector<int> ServerSockets::descriptors() const {
  std::vector<int> numbers;
  for (const Descriptor& descriptor : descriptors_) numbers.push_back(descriptor.get());
  return numbers;
}

void ServerSockets::Close() {
  for (const SocketFile& file : files_) RemoveSocketFile(file.path, file.device, file.inode);
  files_.clear();
  descriptors_.clear();
}

}  // namespace ferrite
