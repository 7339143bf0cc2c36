#pragma once

// How operations go from one serving thread to one other node: in frames of a Pipeline stream,
// which operations of many calls share.
//
// A frame leaves when the thread has nothing else to do, or after every few steps (Flush), so that
// the operations of all calls that came together travel together; none waits for a timer. Frames
// are written one at a time. While some are without their replies the next one is not sent unless
// it is full: under load, what comes meanwhile shares a frame. Operations keep their order.
//
// A stream opens with the first operation, and stays until it is old. While the peer cannot be
// reached operations fail at once. When a stream ends, those that were sent fail, as nobody knows
// whether they were executed, unless the peer says that they were not; the others take the next
// stream, as do frames behind one that was too large for the peer.
//
// No operation waits for longer than its caller can (LaneOperation::wait_until). A peer that
// answers nothing although frames wait for their replies is asked whether it lives (LaneProbe).
// Until it says so new operations fail at once; if it does not for as long again, all do.
//
// An operation whose result found no room in the reply of its frame was not executed; whoever asked
// may send it again (ForwardedOperations::Again).

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/call/reply_writer.h"
#include "server/engine/peer_stream.h"
#include "server/engine/timers.h"
#include "server/routing/lane_frame.h"
#include "server/routing/lane_operation.h"
#include "server/routing/lane_probe.h"
#include "server/routing/lane_terms.h"

namespace ferrite {

// The metadata of streams of lanes: what comes with it is not forwarded again.
inline constexpr char kForwardedMetadata[] = "ferrite-forwarded";

// Whom a lane leads to.
struct Peer {
  std::string id;
  uint64_t boot_id = 0;
  std::string address;

  bool operator==(const Peer&) const = default;
};

// Used on one thread.
class Lane final : private PeerStream::Listener {
 public:
  // Of a frame, and of a parcel; an operation that is larger travels alone.
  static constexpr size_t kMaxFrameBytes = size_t{3} << 20;
  // Without their replies.
  static constexpr size_t kFramesOfAnySize = 2;
  static constexpr size_t kMaxFrames = 4;  // as long as the next one is full, or bytes are many
  // Of operations that have not ended. A parcel is taken as long as there are fewer bytes.
  static constexpr size_t kMaxBytes = size_t{8} << 20;
  static constexpr size_t kMaxOperations = 16'384;
  // For an operation whose caller has no deadline, or a late one.
  static constexpr std::chrono::seconds kMostWait{30};

  Lane(const LaneTerms& terms, Peer peer)
      : terms_(terms),
        peer_(std::move(peer)),
        channel_(terms.connector->Connect(peer_.address)),
        probe_(channel_.get(), [this](bool lives) { OnProbed(lives); }) {}

  const Peer& peer() const { return peer_; }

  // Takes a parcel, which ends later. RESOURCE_EXHAUSTED (OVERLOADED) if too much waits,
  // UNAVAILABLE (PEER_UNREACHABLE) if the peer is silent, DEADLINE_EXCEEDED (DEADLINE_PASSED) if it
  // is too late, INVALID_ARGUMENT (REQUEST_TOO_LARGE): then it has not been taken.
  absl::Status Add(std::shared_ptr<LaneParcel> parcel);
  // Sends what may be sent. To be called between steps of the thread (LaneTerms::to_flush).
  void Flush();

  // The peer is no longer one, or the thread stops: all operations fail, and no more may be added.
  void Close();
  // Whether it has been closed and can be destroyed.
  bool over() const { return closed_ && stream_ == nullptr && !probe_.under_way(); }

 private:
  using Clock = LaneOperation::Clock;

  void OnOpened() override;
  void OnSent() override;
  void OnRead(std::shared_ptr<const Request> message) override;
  void OnEnded(const absl::Status& status) override;
  void OnProbed(bool lives);

  // Has Flush() called soon: when the thread has taken up all that came with what it takes up now.
  void FlushSoon();
  // Ends the stream; nothing more is sent on it.
  void Abort();
  // How many frames may be without their replies when one more is sent.
  size_t MostFrames() const;
  // Takes the parcels of the next frame out of the queue.
  LaneFrame NextFrame();
  // Ends those parcels of a frame that have not ended yet.
  static void EndFrame(const LaneFrame& frame, const absl::Status& why);
  // The same of those frames that have no reply, and of the queue.
  void FailFrames(const absl::Status& why);
  void FailQueue(const absl::Status& why);
  // The peer has ended the stream, as the first of these frames is too large for it: it has not
  // looked at the others, which go again.
  void RefuseFirstFrame(const absl::Status& why);
  // Until when to wait for an operation that comes now.
  static Clock::time_point WaitFor(Clock::time_point deadline, Clock::time_point now);
  // Has the timer ring then, or earlier.
  void WakeAt(Clock::time_point due);
  void OnTimer();
  // Ends the parcels that wait for longer than they may. Returns until when the others do.
  Clock::time_point EndLate(Clock::time_point now);
  // Goes on asking, or gives up, a peer that answers nothing. Returns when to look again.
  Clock::time_point LookForLife(Clock::time_point now);
  // So many have ended, or are about to.
  void Forget(size_t operations, size_t bytes);
  absl::Status TooLarge(size_t bytes) const;
  absl::Status Unreachable(const absl::Status& cause, bool sent) const;
  absl::Status Silent(bool sent) const;

  const LaneTerms terms_;
  const Peer peer_;
  const std::unique_ptr<PeerChannel> channel_;
  LaneProbe probe_;
  std::unique_ptr<PeerStream> stream_;
  bool opened_ = false;  // a frame could be sent on the stream
  bool failed_ = true;   // the one before it, if there was one, could not be opened
  bool open_ = false;    // frames may be sent
  bool sending_ = false;
  bool closed_ = false;
  bool flushes_soon_ = false;
  bool silent_ = false;         // the peer is being asked whether it lives
  Clock::time_point old_at_;    // the stream
  Clock::time_point heard_at_;  // a reply, or else when the first frame after it was sent
  Clock::time_point fails_at_;  // if silent_: when everything fails that waits for the peer
  std::deque<std::shared_ptr<LaneParcel>> queue_;
  std::deque<LaneFrame> frames_;  // without their replies; some parcels may have ended
  size_t operations_ = 0;         // in both
  size_t bytes_ = 0;
  Clock::time_point wakes_at_ = Clock::time_point::max();
  Timer timer_{[this] { OnTimer(); }};
  ReplyWriter writer_;
};

}  // namespace ferrite
