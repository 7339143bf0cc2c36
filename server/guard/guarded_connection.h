#pragma once

// What the guard knows of one connection.

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "server/guard/cut_reason.h"
#include "server/guard/frame_budget.h"
#include "server/guard/frame_walker.h"
#include "server/guard/poll_entry.h"
#include "server/guard/read_turn.h"
#include "server/guard/unfinished_messages.h"
#include "server/guard/untaken_answers.h"

namespace ferrite {

// Belongs to whoever reads from the connection, but for the members of which it is said.
class GuardedConnection {
 public:
  explicit GuardedConnection(bool over_tls = false) : over_tls_(over_tls) {}

  // Whether what comes over the wire is no frames, but TLS.
  bool over_tls() const { return over_tls_; }
  // Of that, so much was read; what was read by now is being decrypted. gRPC reads on for as long
  // as there is something before it decrypts any of it, so nobody would see how much is begun.
  void AddUndecrypted(size_t bytes) { undecrypted_ += bytes; }
  void Decrypt() {
    decrypts_ = true;
    undecrypted_ = 0;
  }
  bool awaits_decryption() const { return decrypts_ && undecrypted_ > 0; }
  // Looks at the first `size` bytes of `pieces`, which were just read. Returns whether there is
  // something to charge for; what is ordinary and little waits, as to charge for it takes longer.
  bool Walk(const iovec* pieces, size_t size, const FrameLimits& limits);
  // Charges for what came since the last time. Returns why the connection has to end.
  std::optional<CutReason> Charge(int64_t now_ns, size_t connections, ProcessFrameBudget* process);

  // Whether nothing more is read until something can be written: its client begins streams and
  // takes no answers. Whoever waits for something to read will then be woken.
  bool AwaitsItsClient(int descriptor, const FrameLimits& limits);
  // Something was written, or never will be: if `all`, all that there was. For whoever writes.
  void Wrote(int descriptor, bool all, std::atomic<int64_t>* untaken);
  // Of messages and headers begun.
  int64_t unfinished_bytes() const {
    return messages_.bytes() + static_cast<int64_t>(block_bytes_);
  }
  const FrameCounts& totals() const { return totals_; }

  ReadTurn turn;
  // Of what comes next, so many bytes cannot begin a stream.
  size_t left_of_data() const { return walker_.left_of_data(); }
  // How many the last read began.
  int64_t begun() const { return begun_; }
  // How gRPC waits for it. Set before anybody reads from it.
  PollEntry poll;

  // Thread-safe: what the process counts as held by this connection, and whether it is to end.
  std::atomic<int64_t> held{0};
  std::atomic<bool> cut{false};
  UntakenAnswers answers;
  // PING and SETTINGS that came since something was last written: what they ask for piles up where
  // nobody reads it. Set to zero by whoever writes.
  std::atomic<int64_t> unanswered{0};

 private:
  friend class FrameWalker;
  void OnFrame(const FrameHead& frame);
  void OnData(const char* bytes, size_t size) { messages_.OnData(bytes, size); }
  void OnDataEnd();
  // Of the streams reset just now, those begun a moment before: others have done what harm they do.
  int64_t ResetYoung(int64_t now_ns);

  int64_t& Count(CutReason reason) { return counts_[static_cast<size_t>(reason)]; }
  void CountOdd(CutReason reason) {
    ++Count(reason);
    ++odd_;
  }

  const bool over_tls_;
  bool decrypts_ = false;  // no more before the handshake is done
  size_t undecrypted_ = 0;
  FrameWalker walker_;
  UnfinishedMessages messages_;
  FrameBudget budget_;
  FrameCounts counts_{};  // not yet charged for
  int64_t odd_ = 0;       // of them, those that are no new streams
  FrameCounts totals_{};
  int64_t begun_ = 0;
  int64_t blocked_streams_ = 0;  // begun while nothing could be written
  std::atomic<bool> awaits_client_{false};
  size_t block_bytes_ = 0;  // of headers without an end
  size_t longest_block_ = 0;
  uint32_t last_stream_ = 0;
  // Before what was read last, and how many later ones were reset in it.
  uint32_t last_before_ = 0;
  int64_t reset_at_once_ = 0;
  bool acknowledged_ = false;    // the server's SETTINGS
  uint32_t unacknowledged_ = 0;  // streams begun before that
  // Streams that were begun in the moment at hand and the one before, and not reset.
  int64_t moment_ = 0;
  int64_t young_ = 0;
  int64_t aging_ = 0;
};

}  // namespace ferrite
