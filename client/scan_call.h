#pragma once

// A ClientCall that reads one page of a scan: it collects the messages of a Scan stream until there
// is enough for one answer. What has been collected survives a failed try: the next one continues
// from the last cursor.

#include <memory>
#include <optional>

#include "client/unary_call.h"
#include "ferrite/v1/cache.grpc.pb.h"

namespace ferrite {

// A page ends with the message that brings it to this many bytes, so that it fits into memory
// however large the entries are.
inline constexpr size_t kPageBytes = 4 << 20;

class ScanCall final : public ClientCall {
 public:
  // The page holds up to request.limit() entries; 0: as many as make up kPageBytes. It also ends
  // after half of the call's time, with what has arrived by then, so that a long stretch without a
  // match does not fail.
  ScanCall(CompletionThread* thread, CallTerms terms, v1::ScanRequest request,
           Callback<v1::ScanResponse> done);

 private:
  enum class Step { kStart, kRead, kFinish };

  void StartTry(grpc::ClientContext* context, NodeConnection& connection,
                grpc::CompletionQueue* queue) override;
  std::optional<grpc::Status> OnEvent(bool ok) override;
  void Deliver(absl::Status status) override;

  void Read();
  void Finish();
  void TakeMessage();
  // Whether the page is to end although the server has more.
  bool IsFull() const;
  // Whether the page can be delivered as it is.
  bool IsComplete() const;

  v1::ScanRequest request_;
  Callback<v1::ScanResponse> done_;
  v1::ScanResponse page_;
  size_t page_bytes_ = 0;
  bool got_message_ = false;

  Step step_ = Step::kStart;
  grpc::ClientContext* context_ = nullptr;  // of the current try
  v1::ScanResponse message_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::ScanResponse>> reader_;
};

}  // namespace ferrite
