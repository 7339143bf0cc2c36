#pragma once

// Asks a peer whether it lives: calls Hello, which every node answers at once, whatever else it has
// to do.

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "server/engine/peer_stream.h"

namespace ferrite {

// Used on one thread.
class LaneProbe final : private PeerStream::Listener {
 public:
  // `on_end` is told whether the peer has answered, anything at all, or cannot be reached. `peer`
  // must outlive the probe.
  LaneProbe(PeerChannel* peer, std::function<void(bool lives)> on_end)
      : peer_(*peer), on_end_(std::move(on_end)) {}

  // Asks, unless it does already. There is no end to it but an answer, or that of the connection.
  void Ask();
  bool under_way() const { return stream_ != nullptr; }
  // The answer does not matter any more.
  void Abandon();

 private:
  void OnOpened() override;
  void OnSent() override {}
  void OnRead(std::shared_ptr<const Request> message) override;
  void OnEnded(const absl::Status& status) override;

  PeerChannel& peer_;
  const std::function<void(bool)> on_end_;
  std::unique_ptr<PeerStream> stream_;
  bool answered_ = false;
  bool abandoned_ = false;
};

}  // namespace ferrite
