#include "server/net/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace ferrite {
namespace {

constexpr int kBacklog = 1024;
// How long to leave connections waiting when there is no descriptor even to turn them away with.
constexpr int kNoDescriptorPauseMs = 20;

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

int PortOf(int socket) {
  sockaddr_storage bound;
  socklen_t size = sizeof(bound);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

// A listening socket, or -1 with errno set.
int Listen(const addrinfo& info) {
  const int descriptor = socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  const int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // connections inherit it
  if (info.ai_family == AF_INET6)
    setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  if (bind(descriptor, info.ai_addr, info.ai_addrlen) == 0 && listen(descriptor, kBacklog) == 0)
    return descriptor;
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

}  // namespace

Listener::~Listener() { Stop(); }

absl::Status Listener::Bind(const Address& address) {
  address_ = address;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot resolve ", address.host, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> infos(found, freeaddrinfo);
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const in_port_t port =
        htons(static_cast<uint16_t>(address_.port));  // port 0: the first choice holds for all
    if (info->ai_family == AF_INET) {
      reinterpret_cast<sockaddr_in*>(info->ai_addr)->sin_port = port;
    } else if (info->ai_family == AF_INET6) {
      reinterpret_cast<sockaddr_in6*>(info->ai_addr)->sin6_port = port;
    } else {
      continue;
    }
    const int descriptor = Listen(*info);
    if (descriptor < 0) {
      if (errno == EAFNOSUPPORT) continue;  // a machine without IPv6
      return absl::UnavailableError(absl::StrCat("cannot listen on ", address_.ToString(), ": ",
                                                 std::generic_category().message(errno)));
    }
    sockets_.push_back(descriptor);
    address_.port = PortOf(descriptor);
  }
  if (sockets_.empty())
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address_.ToString()));
  return absl::OkStatus();
}

void Listener::Start(size_t max_connections, Handoff handoff) {
  max_connections_ = max_connections;
  handoff_ = std::move(handoff);
  wake_ = eventfd(0, EFD_CLOEXEC);
  reserve_ = OpenReserve();
  FERRITE_CHECK(wake_ >= 0);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    FERRITE_CHECK(write(wake_, &one, sizeof(one)) == sizeof(one));
    thread_.join();
    close(wake_);
    if (reserve_ >= 0) close(reserve_);
  }
  for (const int socket : sockets_) close(socket);
  sockets_.clear();
}

void Listener::Run() {
  std::vector<pollfd> waiting = {{wake_, POLLIN, 0}};
  for (const int socket : sockets_) waiting.push_back({socket, POLLIN, 0});
  while (true) {
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0) return;
    for (size_t i = 1; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) AcceptAll(waiting[i].fd);
    }
  }
}

void Listener::AcceptAll(int listener) {
  while (true) {
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EMFILE || errno == ENFILE) AcceptAndClose(listener);
      return;
    }
    {
      MutexLock lock(&mutex_);
      if (open_.size() >= max_connections_ && Prune() >= max_connections_) {
        rejected_over_limit_.fetch_add(1, std::memory_order_relaxed);
        close(descriptor);
        continue;
      }
      struct stat status;
      open_[descriptor] = fstat(descriptor, &status) == 0 ? status.st_ino : 0;
    }
    handoff_(listener, descriptor);
  }
}

void Listener::AcceptAndClose(int listener) {
  rejected_no_descriptor_.fetch_add(1, std::memory_order_relaxed);
  if (reserve_ >= 0) {
    close(reserve_);
    const int descriptor = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor >= 0) close(descriptor);
  }
  reserve_ = OpenReserve();
  if (reserve_ < 0) {
    pollfd stop{wake_, POLLIN, 0};
    poll(&stop, 1, kNoDescriptorPauseMs);
  }
}

size_t Listener::Prune() const {
  std::erase_if(open_, [](const auto& entry) {
    struct stat status;
    return fstat(entry.first, &status) != 0 || status.st_ino != entry.second;
  });
  return open_.size();
}

ConnectionCounts Listener::counts() const {
  ConnectionCounts counts;
  {
    MutexLock lock(&mutex_);
    counts.open = Prune();
  }
  counts.rejected_over_limit = rejected_over_limit_.load(std::memory_order_relaxed);
  counts.rejected_no_descriptor = rejected_no_descriptor_.load(std::memory_order_relaxed);
  return counts;
}

}  // namespace ferrite
