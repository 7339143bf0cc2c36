#pragma once

// Accepts connections on a thread of its own until it is stopped. No error ends it: what concerns
// one connection costs that one; whatever else goes wrong is logged, and tried again a moment
// later.

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/descriptor.h"

namespace ferrite {

// Thread-safe, once it has been started.
class AcceptLoop {
 public:
  // All of them run on the loop's thread.
  struct Work {
    // Takes over the descriptor of a connection; `listener` is the socket that it came in on.
    std::function<void(int listener, int descriptor)> on_connection;
    // Optional. A descriptor that is watched for input beside the sockets, and what is done after
    // each look at them all, whether there was anything or not. Returns after how many milliseconds
    // it has to run again at the latest; -1: not before there is input.
    int watched = -1;
    std::function<int()> on_round;
  };

  AcceptLoop() = default;
  ~AcceptLoop() { Stop(); }
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;

  // Starts to accept from `sockets`, which must stay open until Stop() has returned. Fails if there
  // is no descriptor or no thread for it.
  absl::Status Start(std::vector<int> sockets, Work work);
  // Returns when the thread has ended.
  void Stop();

  // Connections that were turned away for want of a descriptor.
  uint64_t no_descriptor() const { return no_descriptor_.load(std::memory_order_relaxed); }
  // Failures of any other kind to accept a connection.
  uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void AcceptAll(int listener);
  // There is no descriptor: turns the next connection away with the one in reserve.
  void AcceptAndClose(int listener);
  // Logs what went wrong, though not often, and leaves everything alone for a moment.
  void BackOff(const char* what, int error);

  std::vector<int> sockets_;
  Work work_;
  Descriptor wake_;     // an eventfd that ends Run
  Descriptor reserve_;  // to give up when there are none left
  std::optional<int64_t> logged_ns_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> no_descriptor_{0};
  std::atomic<uint64_t> failed_{0};
};

}  // namespace ferrite
