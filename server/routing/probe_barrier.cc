#include "server/routing/probe_barrier.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>

#include "proto/slot.h"

namespace ferrite {
namespace {

// After so long without all markers they are sent anew: one may have been lost.
constexpr std::chrono::seconds kMarkerPatience(1);

uint64_t NewStreamId() {
  std::random_device random;
  return uint64_t{random()} << 32 | random();
}

}  // namespace

ProbeBarrier::ProbeBarrier(ThreadRouting* here, EventHub* hub, Waker waker)
    : here_(*here), hub_(*hub), waker_(std::move(waker)), stream_(NewStreamId()) {}

ProbeBarrier::~ProbeBarrier() {
  if (markers_ != nullptr) markers_->Abandon();
}

void ProbeBarrier::Hold(std::string_view message) {
  waiting_.emplace_back(message);
  waiting_bytes_ += message.size();
  while (waiting_.size() > 1 && (waiting_.size() > kMostProbes || waiting_bytes_ > kMostBytes)) {
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
}

bool ProbeBarrier::ReadMarker(std::string_view payload, uint64_t* number) const {
  if (payload.size() != 2 * sizeof(uint64_t)) return false;
  uint64_t stream;
  std::memcpy(&stream, payload.data(), sizeof(stream));
  std::memcpy(number, payload.data() + sizeof(stream), sizeof(*number));
  return stream == stream_;
}

void ProbeBarrier::Drop() {
  waiting_.clear();
  waiting_bytes_ = 0;
  held_.clear();
}

std::deque<std::string> ProbeBarrier::Pass(const NodeFeeds& feeds) {
  std::deque<std::string> passed;
  if (!held_.empty()) {
    const bool back = std::all_of(feeds.begin(), feeds.end(), [this](const auto& feed) {
      return feed->plan().marker.empty() || feed->marker() >= needed_;
    });
    if (back) {
      passed = std::exchange(held_, {});
    } else if (NodeFeed::Clock::now() >= sent_at_ + kMarkerPatience) {
      Send(feeds);
    }
  }
  if (held_.empty() && !waiting_.empty()) {
    held_ = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    needed_ = number_ + 1;
    Send(feeds);
  }
  return passed;
}

NodeFeed::Clock::time_point ProbeBarrier::due() const {
  return held_.empty() ? NodeFeed::Clock::time_point::max() : sent_at_ + kMarkerPatience;
}

void ProbeBarrier::Send(const NodeFeeds& feeds) {
  sent_at_ = NodeFeed::Clock::now();
  ++number_;
  std::string payload(2 * sizeof(uint64_t), '\0');
  std::memcpy(payload.data(), &stream_, sizeof(stream_));
  std::memcpy(payload.data() + sizeof(stream_), &number_, sizeof(number_));
  if (markers_ != nullptr) markers_->Abandon();
  markers_ = std::make_shared<ForwardedOperations>(waker_);
  for (const auto& feed : feeds) {
    const std::string& channel = feed->plan().marker;
    if (channel.empty()) continue;
    if (feed->plan().here) {
      hub_.Publish(channel, payload);
      continue;
    }
    v1::Operation operation;
    operation.mutable_publish()->set_channel(channel);
    operation.mutable_publish()->set_payload(payload);
    // One that fails does not come back, and is sent anew.
    LaneParcel* const marker =
        markers_->Begin(operation.SerializeAsString(), sent_at_ + kMarkerPatience);
    here_.Forward(SlotOf(channel), markers_->Share(marker));
  }
  // With nobody to ask it is passed at once.
  waker_.Wake();
}

}  // namespace ferrite
