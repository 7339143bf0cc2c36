#pragma once

// Counts what clients send before gRPC sees it, and ends connections that send what no honest
// client would. gRPC 1.51 keeps 13 KiB for each stream that is begun and reset at once
// (CVE-2023-44487), all of a block of headers, and all of a message that never is complete; none of
// its own limits helps.
//
// Whoever reads from a connection (frame_hook.h) shows the guard what was read. A connection that
// is to end is one whose end has come as far as its reader is told, so gRPC closes it in its
// ordinary way. One that begins many streams at once is not cut, but read in turns (read_turn.h).

#include <sys/epoll.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/mutex.h"
#include "server/guard/cut_reason.h"
#include "server/guard/frame_budget.h"
#include "server/guard/frame_limits.h"
#include "server/guard/guarded_connection.h"
#include "server/guard/paused_reads.h"

namespace ferrite {

// Thread-safe.
class FrameGuard {
 public:
  explicit FrameGuard(const FrameLimits& limits);
  ~FrameGuard();
  FrameGuard(const FrameGuard&) = delete;
  FrameGuard& operator=(const FrameGuard&) = delete;

  // From now on the descriptor is that of a client's connection. Nobody has read from it. False if
  // there is no place for it, which takes two million descriptors. What is read `over_tls` is shown
  // to AdmitDecrypted() as well.
  [[nodiscard]] bool Watch(int descriptor, bool over_tls = false);
  // It will be closed, so its number may soon stand for something else; nobody reads from it any
  // more. Takes no lock if it is not watched.
  void Forget(int descriptor);

  // Takes no lock.
  bool watches(int descriptor) const { return Find(descriptor) != nullptr; }
  // The descriptor is in a set of epoll, with that event. Before anybody reads from it.
  void Polled(int descriptor, int set, const epoll_event& event);
  // How many bytes the reader may ask for now. 0: none; it has to wait for the next event, and
  // there will be one. One thread at a time for each connection. Takes no lock unless it is 0.
  size_t Allowance(int descriptor);
  // The first `size` bytes of `pieces` were just read from the descriptor. Returns whether the
  // reader may have them; if not, the connection is over. Takes no lock while that is so. One
  // thread at a time for each connection.
  bool Admit(int descriptor, const iovec* pieces, size_t size);
  // Before that thread decrypts what it has read; and the same as Admit() for what came of it.
  void Decrypt(int descriptor);
  bool AdmitDecrypted(int descriptor, const char* bytes, size_t size);

  // All calls that have come have begun: connections that had their turn may be read from again
  // (paused_reads.h). Takes no lock if none had.
  void EndTurn() { paused_.EndTurn(); }
  // Between the two, turns end in time (PausedReads::Start).
  void StartTurns(std::function<uint64_t()> taken_up) { paused_.Start(std::move(taken_up)); }
  void StopTurns() { paused_.Stop(); }
  // Something could be written, or never will be: if `all`, all that there was. Or nothing can be
  // now, as the client does not read. Take no lock.
  void Wrote(int descriptor, bool all);
  void Blocked(int descriptor);
  // Waits until the descriptor is forgotten, at most so long. Returns whether it was.
  bool AwaitForgotten(int descriptor, std::chrono::milliseconds longest);

  // Connections that were cut.
  uint64_t cut(CutReason reason) const {
    return cut_[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
  // Of messages and headers that are not complete.
  int64_t unfinished_bytes() const { return unfinished_.load(std::memory_order_relaxed); }
  int64_t unfinished_limit() const { return budget_.limits().unfinished_bytes; }
  // Frames that a connection has sent, by the reasons that have a rate. For tests: nobody may read
  // from it meanwhile.
  FrameCounts FramesOf(int descriptor) const;
  // Whether gRPC would be told of what it was kept from reading. For tests, likewise.
  bool CanWake(int descriptor) const;

 private:
  static constexpr size_t kChunkSlots = 512;
  static constexpr size_t kChunks = 4096;
  using Chunk = std::array<std::atomic<GuardedConnection*>, kChunkSlots>;

  GuardedConnection* Find(int descriptor) const {
    const auto index = static_cast<size_t>(descriptor);
    if (index / kChunkSlots >= kChunks) return nullptr;
    const Chunk* chunk = chunks_[index / kChunkSlots].load(std::memory_order_acquire);
    if (chunk == nullptr) return nullptr;
    return (*chunk)[index % kChunkSlots].load(std::memory_order_acquire);
  }
  bool Judge(int descriptor, GuardedConnection* connection, const iovec* pieces, size_t size);
  // There is more that is not complete than there may be: ends the connections that hold most,
  // which leaves alone whoever holds little.
  void Reclaim();
  // The connection's next turn has come.
  void Wake(int descriptor);
  void Cut(int descriptor, GuardedConnection* connection, CutReason reason);

  ProcessFrameBudget budget_;
  std::array<std::atomic<uint64_t>, kCutReasons> cut_{};
  std::atomic<int64_t> unfinished_{0};
  std::atomic<int64_t> untaken_{0};  // streams (untaken_answers.h)
  std::atomic<size_t> connections_{0};
  std::atomic<int64_t> next_log_ns_{0};
  std::atomic<uint64_t> unlogged_{0};

  Mutex mutex_;
  Condition forgotten_;
  // By descriptor. While one is here, it is not closed.
  std::unordered_map<int, std::unique_ptr<GuardedConnection>> open_ ABSL_GUARDED_BY(mutex_);
  std::array<std::atomic<Chunk*>, kChunks> chunks_{};
  PausedReads paused_{[this](int descriptor) { Wake(descriptor); }};
};

}  // namespace ferrite
