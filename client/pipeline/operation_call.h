#pragma once

// A PendingCall for one kind of operation, with its request and response messages.

#include <memory>
#include <utility>

#include "client/callback.h"
#include "client/pipeline/pending_call.h"
#include "client/unary_call.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

constexpr int OperationField(const v1::GetRequest*) { return v1::Operation::kGetFieldNumber; }
constexpr int OperationField(const v1::SetRequest*) { return v1::Operation::kSetFieldNumber; }
constexpr int OperationField(const v1::DeleteRequest*) { return v1::Operation::kDeleteFieldNumber; }
constexpr int OperationField(const v1::TouchRequest*) { return v1::Operation::kTouchFieldNumber; }
constexpr int OperationField(const v1::IncrRequest*) { return v1::Operation::kIncrFieldNumber; }
constexpr int OperationField(const v1::PublishRequest*) {
  return v1::Operation::kPublishFieldNumber;
}

template <class Request, class Response>
class OperationCall final : public PendingCall {
 public:
  // `prepare` is used if the call has to be sent alone.
  OperationCall(CallTerms terms, PrepareFunction<Request, Response> prepare, Request request,
                Callback<Response> done)
      : PendingCall(OperationField(static_cast<Request*>(nullptr)), std::move(terms)),
        prepare_(prepare),
        request_(std::move(request)),
        done_(std::move(done)) {
    set_request_bytes(request_.ByteSizeLong());  // which also caches the sizes for WriteRequest
  }

  uint8_t* WriteRequest(uint8_t* to) const override {
    return request_.SerializeWithCachedSizesToArray(to);
  }

  bool ParseResponse(std::string_view bytes) override {
    return response_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  }

  void Deliver(absl::Status status) override {
    if (status.ok()) {
      done_(std::move(response_));
    } else {
      done_(std::move(status));
    }
  }

  void SendAlone(CompletionThread* thread) override {
    CallTerms terms = TakeTerms();
    terms.is_about_keys = true;
    (new UnaryCall<Request, Response>(thread, std::move(terms), prepare_, std::move(request_),
                                      std::move(done_)))
        ->Start();
  }

 private:
  const PrepareFunction<Request, Response> prepare_;
  Request request_;
  Callback<Response> done_;
  Response response_;
};

}  // namespace ferrite
