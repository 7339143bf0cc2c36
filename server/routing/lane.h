#pragma once

// How operations go from one serving thread to one other node: in frames of a Pipeline stream,
// which operations of many calls share.
//
// A frame leaves when the thread has nothing else to do, or after every few steps (Flush), so that
// the operations of all calls that came together travel together; none waits for a timer. Frames
// are written one at a time, and a few may be without their replies. Operations keep their order.
//
// A stream opens with the first operation, and stays. While the peer cannot be reached operations
// fail at once. When a stream ends, those that were sent fail, as nobody knows whether they were
// executed, unless the peer says that they were not; the others take the next stream.
//
// An operation whose result found no room in the reply of its frame was not executed; whoever asked
// may send it again, alone (ForwardedOperations::Again).

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/call/reply_writer.h"
#include "server/engine/peer_stream.h"
#include "server/metrics/thread_counters.h"
#include "server/routing/lane_frame.h"
#include "server/routing/lane_operation.h"

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
  // Of a frame; an operation that is larger travels alone.
  static constexpr size_t kMaxFrameBytes = size_t{3} << 20;
  static constexpr size_t kMaxFrames = 4;  // without their replies
  // Of operations that have not ended. One is always taken, whatever its size.
  static constexpr size_t kMaxBytes = size_t{8} << 20;
  static constexpr size_t kMaxOperations = 16'384;

  // `waiting_bytes` is kept up to date; both must outlive the lane.
  Lane(PeerConnector* connector, Peer peer, Counter* waiting_bytes)
      : connector_(*connector),
        peer_(std::move(peer)),
        channel_(connector->Connect(peer_.address)),
        waiting_bytes_(*waiting_bytes) {}

  const Peer& peer() const { return peer_; }
  // A connection to the peer for other streams: one of theirs, as the peer limits the streams of a
  // connection, and the lane's must not wait for a place.
  PeerChannel* channel_of_streams() {
    if (channel_of_streams_ == nullptr) channel_of_streams_ = connector_.Connect(peer_.address);
    return channel_of_streams_.get();
  }

  // Takes an operation, which ends later. RESOURCE_EXHAUSTED (OVERLOADED) if too much waits: then
  // it has not been taken.
  absl::Status Add(std::shared_ptr<LaneOperation> operation);
  // Sends what may be sent.
  void Flush();

  // The peer is no longer one, or the thread stops: all operations fail, and no more may be added.
  void Close();
  // Whether it has been closed and can be destroyed.
  bool over() const { return closed_ && stream_ == nullptr; }

 private:
  void OnOpened() override;
  void OnSent() override;
  void OnRead(std::shared_ptr<const Request> message) override;
  void OnEnded(const absl::Status& status) override;

  // Ends the stream; nothing more is sent on it.
  void Abort();
  // Takes the operations of the next frame out of the queue.
  LaneFrame NextFrame();
  // Ends the operations of those frames that have no reply, and of the queue.
  void FailFrames(const absl::Status& why);
  void FailQueue(const absl::Status& why);
  // These have ended, or are about to.
  void Forget(const LaneFrame& frame);
  absl::Status Unreachable(const absl::Status& cause, bool sent) const;

  PeerConnector& connector_;
  const Peer peer_;
  const std::unique_ptr<PeerChannel> channel_;
  std::unique_ptr<PeerChannel> channel_of_streams_;  // once it is needed
  Counter& waiting_bytes_;
  std::unique_ptr<PeerStream> stream_;
  bool opened_ = false;  // the peer has taken up the stream
  bool open_ = false;    // and frames may be sent
  bool sending_ = false;
  bool closed_ = false;
  std::deque<std::shared_ptr<LaneOperation>> queue_;
  std::deque<LaneFrame> frames_;  // without their replies
  size_t operations_ = 0;         // in both
  size_t bytes_ = 0;
  ReplyWriter writer_;
};

}  // namespace ferrite
