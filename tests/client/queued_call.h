#pragma once

// A call for tests of the queue, without a client or gRPC.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "client/pipeline/pending_call.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

class QueuedCall final : public PendingCall {
 public:
  explicit QueuedCall(CallTerms terms, size_t request_bytes = 10,
                      int field = v1::Operation::kGetFieldNumber)
      : PendingCall(field, std::move(terms)) {
    set_request_bytes(request_bytes);
  }

  uint8_t* WriteRequest(uint8_t* to) const override { return to + request_bytes(); }
  bool ParseResponse(std::string_view bytes) override {
    response = bytes;
    return bytes != "malformed";
  }
  void Deliver(absl::Status) override {}
  void SendAlone(CompletionThread*) override {}

  std::string response;
};

}  // namespace ferrite
