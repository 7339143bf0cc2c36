#include "tests/client/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace ferrite {
namespace {

sockaddr_in Local(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int Socket() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& server)
    : server_port_(std::stoi(server.substr(server.rfind(':') + 1))),
      listener_(Socket()),
      wake_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address = Local(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
  listen(listener_, 128);
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

CuttingProxy::~CuttingProxy() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Connection& connection : connections_) connection.cut = true;
  }
  Wake();
  thread_.join();
  close(listener_);
  close(wake_);
}

size_t CuttingProxy::connections() {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void CuttingProxy::Hold(size_t index) {
  const std::lock_guard lock(mutex_);
  if (Connection* const connection = At(index)) connection->held = true;
}

void CuttingProxy::Release() {
  {
    const std::lock_guard lock(mutex_);
    for (Connection& connection : connections_) connection.held = false;
  }
  Wake();
}

void CuttingProxy::Cut(size_t index) {
  {
    const std::lock_guard lock(mutex_);
    if (Connection* const connection = At(index)) connection->cut = true;
  }
  Wake();
}

void CuttingProxy::CutAll() {
  {
    const std::lock_guard lock(mutex_);
    for (Connection& connection : connections_) connection.cut = true;
  }
  Wake();
}

CuttingProxy::Connection* CuttingProxy::At(size_t index) {
  if (connections_.empty()) return nullptr;
  return &*std::next(connections_.begin(),
                     static_cast<std::ptrdiff_t>(index % connections_.size()));
}

void CuttingProxy::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

void CuttingProxy::Run() {
  while (true) {
    std::vector<pollfd> polled = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    std::vector<Connection*> of_polled;
    {
      const std::lock_guard lock(mutex_);
      for (auto at = connections_.begin(); at != connections_.end();) {
        if (at->cut) {
          close(at->client);
          close(at->server);
          at = connections_.erase(at);
          continue;
        }
        if (!at->held) {
          polled.push_back({at->client, POLLIN, 0});
          polled.push_back({at->server, POLLIN, 0});
          of_polled.push_back(&*at);
        }
        ++at;
      }
      if (stopping_) return;
    }
    poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) {
      uint64_t count;
      [[maybe_unused]] const ssize_t size = read(wake_, &count, sizeof(count));
    }
    for (size_t i = 0; i < of_polled.size(); ++i) {
      Connection* const connection = of_polled[i];
      bool goes_on = true;
      if (polled[2 + 2 * i].revents != 0) goes_on = Pass(connection->client, connection->server);
      if (polled[3 + 2 * i].revents != 0) goes_on &= Pass(connection->server, connection->client);
      if (goes_on) continue;
      const std::lock_guard lock(mutex_);
      connection->cut = true;
    }
    if (polled[1].revents != 0) Accept();
  }
}

void CuttingProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int on = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const int server = Socket();
  const sockaddr_in address = Local(server_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(client);
    close(server);
    return;
  }
  const std::lock_guard lock(mutex_);
  connections_.push_back({client, server});
}

bool CuttingProxy::Pass(int from, int to) {
  char bytes[1 << 16];
  const ssize_t size = read(from, bytes, sizeof(bytes));
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t more = send(to, bytes + sent, size - sent, MSG_NOSIGNAL);
    if (more < 0) return false;
    sent += more;
  }
  return size > 0;
}

}  // namespace ferrite
