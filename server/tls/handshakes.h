#pragma once

// The TLS handshakes in progress: how many, how long, and what became of them. gRPC makes them and
// tells nobody; but it calls OpenSSL by name, and the program shows them to this (tls_hook.h).
//
// A handshake costs memory and CPU before anybody knows who asks. So beyond a limit a new one
// displaces the oldest that keeps the server waiting: a flood of connections that say nothing keeps
// out only clients that are slower than it. A handshake that waits for the server is displaced by
// none: when many clients come at once, all of them get their turn.

#include <openssl/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "server/tls/handshake_fault.h"

namespace ferrite {

// Thread-safe.
class Handshakes {
 public:
  // After which gRPC gives a handshake up.
  static constexpr std::chrono::seconds kLongest{10};
  // Before which none is displaced: an honest client answers within it.
  static constexpr std::chrono::seconds kPatience{1};

  explicit Handshakes(size_t limit) : limit_(limit) {}
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  // While one lives, a handshake that begins on this thread is one with the client at the other end
  // of `descriptor`. Displaces others if there are too many. Null: it does not count.
  class Handoff {
   public:
    Handoff(Handshakes* handshakes, int descriptor);
    ~Handoff();
    // The descriptor of the one that lives on this thread; -1: there is none.
    static int descriptor();
    Handoff(const Handoff&) = delete;
    Handoff& operator=(const Handoff&) = delete;
  };

  // For the hook: something was made for a handshake, which no Handoff covers if it is this server
  // that connects to others; a step of it was made; what was made for it, and for its connection,
  // is gone. Those of others are left alone.
  void Made(const SSL* tls);
  void Stepped(const SSL* tls, int result);
  void Gone(const SSL* tls);

  size_t limit() const { return limit_; }
  size_t in_progress() const;
  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  uint64_t failed(HandshakeFault fault) const {
    return failed_[static_cast<size_t>(fault)].load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Handshake {
    const SSL* tls;
    int descriptor;
    uint64_t inode;  // of the socket, as the descriptor's number may come to stand for another
    std::string peer;
    Clock::time_point begun;
  };
  // Oldest first.
  using InOrder = std::list<Handshake>;

  void MakeRoom();
  void Fail(InOrder::iterator handshake, HandshakeFault fault, const std::string& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(InOrder::iterator handshake) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t limit_;
  std::atomic<uint64_t> done_{0};
  std::array<std::atomic<uint64_t>, kHandshakeFaults> failed_{};

  mutable Mutex mutex_;
  InOrder in_order_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<const SSL*, InOrder::iterator> by_tls_ ABSL_GUARDED_BY(mutex_);
  Clock::time_point next_log_ ABSL_GUARDED_BY(mutex_);
  uint64_t unlogged_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace ferrite
