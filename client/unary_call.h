#pragma once

// A ClientCall with one request and one response.

#include <memory>
#include <optional>
#include <utility>

#include "client/callback.h"
#include "client/client_call.h"
#include "client/error.h"
#include "client/unparsed.h"
#include "grpcpp/support/async_unary_call.h"

namespace ferrite {

// How a unary RPC is prepared on a connection.
template <class Request, class Response>
using PrepareFunction = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (*)(
    NodeConnection& connection, grpc::ClientContext* context, const Request& request,
    grpc::CompletionQueue* queue);

template <class Request, class Response>
class UnaryCall final : public ClientCall {
 public:
  UnaryCall(CompletionThread* thread, CallTerms terms, PrepareFunction<Request, Response> prepare,
            Request request, Callback<Response> done)
      : ClientCall(thread, std::move(terms)),
        prepare_(prepare),
        request_(std::move(request)),
        done_(std::move(done)) {}

 private:
  void StartTry(grpc::ClientContext* context, NodeConnection& connection,
                grpc::CompletionQueue* queue) override {
    MarkUnparsed(&response_);
    reader_ = prepare_(connection, context, request_, queue);
    grpc::ClientAsyncResponseReader<Response>* const reader = reader_.get();
    reader->StartCall();
    HandOver();
    reader->Finish(&response_, &status_, this);
  }

  std::optional<grpc::Status> OnEvent(bool ok) override {
    reader_.reset();  // lies in memory of the context, which the next try replaces
    if (status_.ok() && (!ok || IsUnparsed(response_))) return MalformedAnswer();
    return std::move(status_);
  }

  void Deliver(absl::Status status) override {
    if (status.ok()) {
      done_(std::move(response_));
    } else {
      done_(std::move(status));
    }
  }

  const PrepareFunction<Request, Response> prepare_;
  const Request request_;
  Callback<Response> done_;
  Response response_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
};

}  // namespace ferrite
