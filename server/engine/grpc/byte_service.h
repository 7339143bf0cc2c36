#pragma once

// A gRPC service whose messages are bytes: what protoc would generate for its methods as raw ones,
// from the table of methods (method.h).

#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "server/call/method.h"
#include "server/engine/rpc.h"

namespace ferrite {

// Must outlive the server that it is registered with.
class ByteService final : public grpc::Service {
 public:
  using UnaryResponder = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;
  using StreamResponder = grpc::ServerAsyncWriter<grpc::ByteBuffer>;
  using FramesResponder = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  // With every method whose service is `name`.
  explicit ByteService(std::string_view name);

  // Asks for the next call of `method`, as generated services do. Its end comes to `notify`, those
  // of the call's operations to `queue`.
  void Request(Method method, grpc::ServerContext* context, grpc::ByteBuffer* request,
               UnaryResponder* responder, grpc::CompletionQueue* queue,
               grpc::ServerCompletionQueue* notify, void* tag) {
    RequestAsyncUnary(indices_.at(method), context, request, responder, queue, notify, tag);
  }
  void Request(Method method, grpc::ServerContext* context, grpc::ByteBuffer* request,
               StreamResponder* responder, grpc::CompletionQueue* queue,
               grpc::ServerCompletionQueue* notify, void* tag) {
    RequestAsyncServerStreaming(indices_.at(method), context, request, responder, queue, notify,
                                tag);
  }
  void Request(Method method, grpc::ServerContext* context, grpc::ByteBuffer* /*request*/,
               FramesResponder* responder, grpc::CompletionQueue* queue,
               grpc::ServerCompletionQueue* notify, void* tag) {
    RequestAsyncBidiStreaming(indices_.at(method), context, responder, queue, notify, tag);
  }

 private:
  std::deque<std::string> paths_;  // gRPC keeps pointers to them
  std::map<Method, int> indices_;
};

}  // namespace ferrite
