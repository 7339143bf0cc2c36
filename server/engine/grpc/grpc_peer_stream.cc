#include "server/engine/grpc/grpc_peer_stream.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "server/engine/grpc/wire_status.h"

namespace ferrite {
namespace {

std::string PathOf(Method method) {
  const MethodName& name = NameOf(method);
  return "/" + std::string(name.service) + "/" + std::string(name.method);
}

}  // namespace

GrpcPeerStream::GrpcPeerStream(grpc::GenericStub* stub, Method method,
                               const PeerChannel::Metadata& metadata, QueueThread* thread,
                               Listener* listener)
    : thread_(*thread), listener_(*listener) {
  FERRITE_CHECK(!thread_.closed());
  for (const auto& [name, value] : metadata) context_.AddMetadata(name, value);
  call_ = stub->PrepareCall(&context_, PathOf(method), thread_.queue());
  call_->StartCall(static_cast<Tag*>(&opened_tag_));
}

void GrpcPeerStream::Send(ReplyWriter* message, bool last) {
  FERRITE_CHECK(!opening_ && !sending_);
  if (thread_.closed() || finishing_) return message->Clear();
  sending_ = true;
  const grpc::WriteOptions options =
      last ? grpc::WriteOptions().set_last_message() : grpc::WriteOptions();
  call_->Write(TakeMessage(message), options, static_cast<Tag*>(&sent_tag_));
}

void GrpcPeerStream::Read() {
  FERRITE_CHECK(!opening_ && !reading_);
  if (thread_.closed() || finishing_) return;
  reading_ = true;
  message_ = std::make_shared<ReceivedMessage>();
  call_->Read(message_->Receive(), static_cast<Tag*>(&read_tag_));
}

void GrpcPeerStream::Cancel() {
  cancelled_ = true;
  context_.TryCancel();
  if (!opening_ && !reading_) Finish();
}

void GrpcPeerStream::OnOpened(bool ok) {
  opening_ = false;
  if (!ok || cancelled_ || thread_.closed()) return Finish(), EndIfOver();
  listener_.OnOpened();
}

void GrpcPeerStream::OnSent(bool ok) {
  sending_ = false;
  if (!ok) {
    Cancel();
  } else if (!over_ && !finishing_) {
    return listener_.OnSent();
  }
  EndIfOver();
}

void GrpcPeerStream::OnRead(bool ok) {
  reading_ = false;
  if (!ok || thread_.closed()) return Finish(), EndIfOver();
  const std::shared_ptr<ReceivedMessage> message = std::move(message_);
  listener_.OnRead(std::shared_ptr<const Request>(message, &message->request()));
}

void GrpcPeerStream::OnFinished(bool) {
  over_ = true;
  EndIfOver();
}

void GrpcPeerStream::Finish() {
  if (over_ || finishing_) return;
  if (thread_.closed()) {
    status_ = grpc::Status(grpc::StatusCode::CANCELLED, "the server stops");
    over_ = true;
    return;
  }
  finishing_ = true;
  call_->Finish(&status_, static_cast<Tag*>(&finished_tag_));
}

void GrpcPeerStream::EndIfOver() {
  if (over_ && !opening_ && !sending_ && !reading_) listener_.OnEnded(FromGrpc(status_));
}

}  // namespace ferrite
