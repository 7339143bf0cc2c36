#pragma once

// A real etcd, as Debian has it, that a test starts, stops, pauses and kills.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace ferrite::cluster {

// One member. Not thread-safe.
class EtcdProcess {
 public:
  struct Peer {
    std::string name;
    int port;
  };

  // A member of a cluster of these, `self` of them; alone if there are no others.
  explicit EtcdProcess(std::vector<Peer> peers = {{"e0", FreePort()}}, size_t self = 0);
  ~EtcdProcess();
  EtcdProcess(const EtcdProcess&) = delete;
  EtcdProcess& operator=(const EtcdProcess&) = delete;

  // Starts it, with the data that it had before, at the same address.
  void Start();
  // Returns when it serves clients, which takes a majority of the members.
  void AwaitReady();
  void Kill();
  void Pause();
  void Resume();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // One that was free a moment ago.
  static int FreePort();

 private:
  const std::vector<Peer> peers_;
  const size_t self_;
  const int port_;
  std::filesystem::path folder_;
  pid_t process_ = -1;
  int log_ = -1;
  std::thread log_reader_;  // once it serves
};

}  // namespace ferrite::cluster
