#include "server/routing/lane_probe.h"

namespace ferrite {
namespace {

// The peer has not said this itself.
bool IsOfConnection(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status);
}

}  // namespace

void LaneProbe::Ask() {
  if (stream_ != nullptr) return;
  answered_ = false;
  stream_ = peer_.Open(Method::kHello, {}, this);
}

void LaneProbe::Abandon() {
  abandoned_ = true;
  if (stream_ != nullptr) stream_->Cancel();
}

void LaneProbe::OnOpened() {
  if (abandoned_) return;
  ReplyWriter nothing;  // a HelloRequest without fields
  stream_->Send(&nothing, /*last=*/true);
  stream_->Read();
}

void LaneProbe::OnRead(std::shared_ptr<const Request>) {
  answered_ = true;
  if (!abandoned_) stream_->Read();  // its end
}

void LaneProbe::OnEnded(const absl::Status& status) {
  stream_.reset();
  if (!abandoned_) on_end_(answered_ || !IsOfConnection(status));
}

}  // namespace ferrite
