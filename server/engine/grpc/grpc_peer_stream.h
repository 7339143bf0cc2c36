#pragma once

// A PeerStream over gRPC.

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>

#include "server/engine/grpc/message.h"
#include "server/engine/grpc/queue_thread.h"
#include "server/engine/grpc/tag.h"
#include "server/engine/peer_stream.h"

namespace ferrite {

// Its end is told once none of its operations is in flight: gRPC is asked for the status when the
// stream could not be opened, when nothing more can be read, or when it was cancelled; not once the
// thread is closed, as no operation may be started then.
class GrpcPeerStream final : public PeerStream {
 public:
  // All must outlive the stream.
  GrpcPeerStream(grpc::GenericStub* stub, Method method, const PeerChannel::Metadata& metadata,
                 QueueThread* thread, Listener* listener);

  void Send(ReplyWriter* message, bool last) override;
  void Read() override;
  void Cancel() override;

 private:
  void OnOpened(bool ok);
  void OnSent(bool ok);
  void OnRead(bool ok);
  void OnFinished(bool ok);

  // Nothing more will come: asks for the status.
  void Finish();
  void EndIfOver();

  QueueThread& thread_;
  Listener& listener_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  std::shared_ptr<ReceivedMessage> message_;  // that is being read
  grpc::Status status_;
  bool opening_ = true;
  bool cancelled_ = false;  // perhaps while it opens, whereupon it may still open well
  bool sending_ = false;
  bool reading_ = false;
  bool finishing_ = false;
  bool over_ = false;  // the status is there, or will never be
  StepTag<GrpcPeerStream, &GrpcPeerStream::OnOpened> opened_tag_{this};
  StepTag<GrpcPeerStream, &GrpcPeerStream::OnSent> sent_tag_{this};
  StepTag<GrpcPeerStream, &GrpcPeerStream::OnRead> read_tag_{this};
  StepTag<GrpcPeerStream, &GrpcPeerStream::OnFinished> finished_tag_{this};
};

}  // namespace ferrite
