#pragma once

// A proxy in front of a server, on which a test can stall and cut connections.

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace ferrite {

// Forwards every connection to `server`, "127.0.0.1:PORT". Thread-safe.
class CuttingProxy {
 public:
  explicit CuttingProxy(const std::string& server);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // How many connections exist.
  size_t connections();
  // Stops forwarding bytes of connection `index` (modulo their number), in both directions.
  void Hold(size_t index);
  // Forwards everything again.
  void Release();
  // Breaks the connection, or all of them.
  void Cut(size_t index);
  void CutAll();

 private:
  struct Connection {
    int client;
    int server;
    bool held = false;
    bool cut = false;
  };

  void Run();
  void Accept();
  // Forwards what can be read; false at the end of the connection.
  static bool Pass(int from, int to);
  Connection* At(size_t index);
  void Wake();

  const int server_port_;
  int listener_;
  int port_;
  int wake_;
  std::mutex mutex_;
  std::list<Connection> connections_;  // guarded by mutex_; only the thread adds and removes
  bool stopping_ = false;              // guarded by mutex_
  std::thread thread_;
};

}  // namespace ferrite
