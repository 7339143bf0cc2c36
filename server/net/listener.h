#pragma once

// Ferrite's own accept loop. gRPC 1.51's stops accepting for good once it has met "too many open
// files" (CVE-2023-4785), has no limit on connections, and lets two servers share a port unnoticed;
// this one does none of that. Accepted connections are handed to gRPC, which owns them from then
// on; those beyond the limit meet the Doorman.

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/metrics/connection_counts.h"
#include "server/net/accept_loop.h"
#include "server/net/address.h"
#include "server/net/door_policy.h"
#include "server/net/doorman.h"
#include "server/net/server_sockets.h"

namespace ferrite {

// Thread-safe, once it has been started.
class Listener {
 public:
  // How many connections there may be, and whether the descriptors of the process are what limits
  // them.
  struct Limit {
    size_t connections = 0;
    bool by_descriptors = false;
  };
  // Takes over the descriptor of a new connection; `listener` is the socket that it came in on.
  using Handoff = std::function<void(int listener, int descriptor)>;

  Listener() = default;
  ~Listener() { Stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Listens as ServerSockets does, beside what it listens on already.
  absl::Status Bind(const std::vector<Address>& addresses,
                    mode_t unix_mode = ServerSockets::kUnixMode) {
    return sockets_.Listen(addresses, unix_mode);
  }
  // With the ports that were bound; and the sockets, of which an address may have several.
  const std::vector<Address>& addresses() const { return sockets_.addresses(); }
  std::vector<int> descriptors() const { return sockets_.descriptors(); }

  // Starts to accept, at most `limit.connections` at a time; `policy` is for those beyond. Fails if
  // there is no descriptor or no thread for it.
  absl::Status Start(const Limit& limit, DoorPolicy policy, Handoff handoff);
  // Stops accepting and closes the sockets. Connections that were handed over live on.
  void Stop();

  // Has no connection receive any more, so that gRPC, once it has read what is there, closes it.
  // Returns whether any is open.
  bool EndConnections();

  // Those of gRPC.
  ConnectionCounts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  // Which file a descriptor stood for when it was handed over. gRPC closes it in its own time; the
  // number may then stand for another file, with another inode.
  using Inode = uint64_t;

  void Take(int listener, int descriptor);
  // Whether there is a place for one more.
  bool HasRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Drops connections that gRPC has closed; returns how many are open.
  size_t Prune() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  ServerSockets sockets_;
  Handoff handoff_;
  std::optional<Doorman> doorman_;
  std::atomic<uint64_t> refused_{0};

  mutable Mutex mutex_;
  Limit limit_ ABSL_GUARDED_BY(mutex_);  // metrics may be asked for before there is one
  mutable std::unordered_map<int, Inode> open_ ABSL_GUARDED_BY(mutex_);
  // Until then a full server counts as full: to look for connections that are gone takes time, and
  // those who knock could make it take all.
  Clock::time_point next_look_ ABSL_GUARDED_BY(mutex_);
  AcceptLoop loop_;
};

}  // namespace ferrite
