#pragma once

// Listens on loopback and does with each connection what the test says.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/check.h"

namespace ferrite::cluster {

class StrangeServer {
 public:
  // Called with each connection, on the server's thread; it is closed afterwards.
  explicit StrangeServer(std::function<void(int connection)> serve)
      : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    FERRITE_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    FERRITE_CHECK(listen(listener_, 16) == 0);
    FERRITE_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (;;) {
        const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        serve(connection);
        close(connection);
      }
    });
  }
  // The client must have closed its connections.
  ~StrangeServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  static void Send(int connection, std::string_view bytes) {
    (void)send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Reads until the client has closed.
  static void ReadAll(int connection) {
    char bytes[4096];
    while (read(connection, bytes, sizeof bytes) > 0) {
    }
  }
  // Greets as an HTTP/2 server does, and returns when a request is there.
  static void AwaitRequest(int connection) {
    Send(connection, std::string_view("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS
    std::string got;
    char bytes[4096];
    while (got.find("etcdserverpb.KV/Txn") == std::string::npos &&
           got.find("hasleader") == std::string::npos) {
      const ssize_t count = read(connection, bytes, sizeof bytes);
      if (count <= 0) return;
      got.append(bytes, static_cast<size_t>(count));
    }
  }

 private:
  const int listener_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace ferrite::cluster
