#pragma once

// A real etcd on loopback.

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/client/child_process.h"

namespace ferrite {

class EtcdProcess {
 public:
  // Starts it and waits until it takes connections.
  EtcdProcess() : address_(FreeAddress()) {
    char folder[] = "/tmp/ferrite-etcd-XXXXXX";
    if (mkdtemp(folder) == nullptr) std::abort();
    folder_ = folder;
    const std::string client = "http://" + address_;
    const std::string peer = "http://" + FreeAddress();
    process_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "/usr/bin/setpriv", "--pdeathsig", "KILL", "--", "etcd", "--name=e0",
        absl::StrCat("--data-dir=", folder_, "/data"),
        absl::StrCat("--listen-client-urls=", client),
        absl::StrCat("--advertise-client-urls=", client), absl::StrCat("--listen-peer-urls=", peer),
        absl::StrCat("--initial-advertise-peer-urls=", peer),
        absl::StrCat("--initial-cluster=e0=", peer), "--heartbeat-interval=50",
        "--election-timeout=500", "--logger=zap", absl::StrCat("--log-outputs=", folder_, "/log")});
    while (!IsOpen(address_)) std::this_thread::yield();
  }
  ~EtcdProcess() {
    process_.reset();
    std::filesystem::remove_all(folder_);
  }
  EtcdProcess(const EtcdProcess&) = delete;
  EtcdProcess& operator=(const EtcdProcess&) = delete;

  const std::string& address() const { return address_; }

 private:
  static sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }
  // One that was free a moment ago.
  static std::string FreeAddress() {
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    if (bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
    getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);
    close(descriptor);
    return absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  }
  static bool IsOpen(const std::string& address) {
    const sockaddr_in to =
        Loopback(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    const bool open = connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
    close(descriptor);
    return open;
  }

  const std::string address_;
  std::string folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace ferrite
