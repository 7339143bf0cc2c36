#pragma once

// Ferrite's own accept loop. gRPC 1.51's stops accepting for good once it has met "too many open
// files" (CVE-2023-4785), has no limit on connections, and lets two servers share a port unnoticed;
// this one does none of that. Accepted connections are handed to gRPC, which owns them from then
// on.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/metrics/connection_counts.h"
#include "server/net/address.h"

namespace ferrite {

// Thread-safe.
class Listener {
 public:
  // Takes over the descriptor of a new connection; `listener` is the socket that it came in on.
  using Handoff = std::function<void(int listener, int descriptor)>;

  Listener() = default;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Binds to every address that the host stands for and listens. Fails with the address and the
  // reason in the text.
  absl::Status Bind(const Address& address);
  // The address with the port that was bound: another one if port 0 was asked for.
  const Address& address() const { return address_; }

  // Starts to accept, at most `max_connections` at a time.
  void Start(size_t max_connections, Handoff handoff);
  // Stops accepting and closes the sockets. Connections that were handed over live on.
  void Stop();

  ConnectionCounts counts() const;

 private:
  // Which file a descriptor stood for when it was handed over. gRPC closes it in its own time; the
  // number may then stand for another file, with another inode.
  using Inode = uint64_t;

  void Run();
  void AcceptAll(int listener);
  void AcceptAndClose(int listener);
  // Drops connections that gRPC has closed; returns how many are open.
  size_t Prune() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Address address_;
  std::vector<int> sockets_;
  int wake_ = -1;     // an eventfd that ends Run
  int reserve_ = -1;  // a descriptor to give up when there are none left, so as to be able to turn
                      // a connection away
  size_t max_connections_ = 0;
  Handoff handoff_;
  std::thread thread_;
  std::atomic<uint64_t> rejected_over_limit_{0};
  std::atomic<uint64_t> rejected_no_descriptor_{0};

  mutable Mutex mutex_;
  mutable std::unordered_map<int, Inode> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
