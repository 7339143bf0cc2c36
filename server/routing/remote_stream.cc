#include "server/routing/remote_stream.h"

#include <charconv>
#include <cstring>
#include <utility>

#include "server/call/status.h"
#include "server/routing/lane.h"

namespace ferrite {

std::optional<uint64_t> MarkOf(const Caller& caller) {
  const std::optional<std::string_view> text = caller.Metadata(kMarkMetadata);
  if (!text.has_value()) return std::nullopt;
  uint64_t mark = 0;
  std::from_chars(text->data(), text->data() + text->size(), mark);
  return mark;
}

RemoteStream::RemoteStream(std::shared_ptr<PeerChannel> peer, Method method,
                           std::string_view request, Waker reader, PeerChannel::Metadata metadata)
    : peer_(std::move(peer)), reader_(std::move(reader)) {
  std::memcpy(request_.Append(request.size()), request.data(), request.size());
  metadata.emplace_back(kForwardedMetadata, "1");
  stream_ = peer_->Open(method, metadata, this);
}

void RemoteStream::Next() {
  message_.reset();
  if (stream_ != nullptr) stream_->Read();
}

void RemoteStream::Abandon() {
  abandoned_ = true;
  message_.reset();
  if (stream_ != nullptr) stream_->Cancel();
}

void RemoteStream::OnOpened() {
  if (abandoned_) return;
  stream_->Send(&request_, /*last=*/true);
  stream_->Read();
}

void RemoteStream::OnRead(std::shared_ptr<const Request> message) {
  if (abandoned_) return stream_->Cancel();
  message_ = std::move(message);
  reader_.Wake();
}

void RemoteStream::OnEnded(const absl::Status& status) {
  stream_.reset();
  end_ = Counted(status);  // by the peer, if it is an error of its
  if (!abandoned_) reader_.Wake();
}

}  // namespace ferrite
