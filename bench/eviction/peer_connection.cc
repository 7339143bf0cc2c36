#include "bench/eviction/peer_connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ferrite::bench {
namespace {

constexpr size_t kReceiveBytes = size_t{64} << 10;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

}  // namespace

PeerConnection::PeerConnection(const std::string& socket_path)
    : socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_ < 0) Fail("ferrite-trace: socket");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof(address.sun_path)) {
    std::fprintf(stderr, "ferrite-trace: the path of the socket is too long\n");
    std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): there is one thread
  }
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    Fail("ferrite-trace: connect");
  }
}

PeerConnection::~PeerConnection() { close(socket_); }

void PeerConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) Fail("ferrite-trace: send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void PeerConnection::Receive() {
  buffer_.erase(0, at_);
  at_ = 0;
  const size_t had = buffer_.size();
  buffer_.resize(had + kReceiveBytes);
  const ssize_t received = recv(socket_, buffer_.data() + had, kReceiveBytes, 0);
  if (received <= 0) Fail("ferrite-trace: the server is gone");
  buffer_.resize(had + static_cast<size_t>(received));
}

std::string_view PeerConnection::Line() {
  size_t end;
  while ((end = buffer_.find("\r\n", at_)) == std::string::npos) Receive();
  const std::string_view line = std::string_view(buffer_).substr(at_, end - at_);
  at_ = end + 2;
  return line;
}

void PeerConnection::Skip(size_t count) {
  while (buffer_.size() - at_ < count) Receive();
  at_ += count;
}

void RefuseAnswer(std::string_view peer, std::string_view answer) {
  std::fprintf(stderr, "ferrite-trace: %.*s answered %.*s\n", static_cast<int>(peer.size()),
               peer.data(), static_cast<int>(answer.size()), answer.data());
  std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

}  // namespace ferrite::bench
