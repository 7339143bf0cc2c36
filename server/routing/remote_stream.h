#pragma once

// A call of this node to another one that answers with a stream of messages, of which no more than
// one is read ahead.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "server/call/caller.h"
#include "server/engine/peer_stream.h"
#include "server/engine/waker.h"

namespace ferrite {

// With it comes the mark of the share (NodeShare) of which the stream is to tell.
inline constexpr char kMarkMetadata[] = "ferrite-share-mark";
// What came with a call: what another node expects this one to serve. One that cannot be read fits
// nothing.
std::optional<uint64_t> MarkOf(const Caller& caller);

// Used on one thread. Whoever reads it may leave before the stream has ended, so it belongs to the
// thread (ThreadRouting).
class RemoteStream final : private PeerStream::Listener {
 public:
  // Makes the call, and wakes `reader` whenever there is a message, or the stream has ended. Keeps
  // `peer` until it has gone itself. `metadata` comes along with what says that it is forwarded.
  RemoteStream(std::shared_ptr<PeerChannel> peer, Method method, std::string_view request,
               Waker reader, PeerChannel::Metadata metadata = {});

  // The next message if it is there; it stays until Next().
  const std::shared_ptr<const Request>& message() const { return message_; }
  // Lets go of the message and has the next one read.
  void Next();
  // How it ended, once all messages have been taken.
  const std::optional<absl::Status>& end() const { return end_; }

  // Nobody reads any more.
  void Abandon();
  bool over() const { return abandoned_ && stream_ == nullptr; }

 private:
  void OnOpened() override;
  void OnSent() override {}
  void OnRead(std::shared_ptr<const Request> message) override;
  void OnEnded(const absl::Status& status) override;

  const std::shared_ptr<PeerChannel> peer_;
  const Waker reader_;
  ReplyWriter request_;
  bool abandoned_ = false;
  std::shared_ptr<const Request> message_;
  std::optional<absl::Status> end_;
  std::unique_ptr<PeerStream> stream_;
};

}  // namespace ferrite
