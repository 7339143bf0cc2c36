#include "client/scan_call.h"

#include <utility>

#include "client/error.h"

namespace ferrite {

ScanCall::ScanCall(CompletionThread* thread, CallTerms terms, v1::ScanRequest request,
                   Callback<v1::ScanResponse> done)
    : ClientCall(thread, std::move(terms)), request_(std::move(request)), done_(std::move(done)) {}

void ScanCall::StartTry(grpc::ClientContext* context, NodeConnection& connection,
                        grpc::CompletionQueue* queue) {
  v1::ScanRequest request = request_;
  if (got_message_) request.set_cursor(page_.cursor());
  if (request.limit() != 0) request.set_limit(request_.limit() - page_.entries_size());
  context_ = context;
  step_ = Step::kStart;
  reader_ = connection.cache.PrepareAsyncScan(context, request, queue);
  grpc::ClientAsyncReader<v1::ScanResponse>* const reader = reader_.get();
  HandOver();
  reader->StartCall(this);
}

std::optional<grpc::Status> ScanCall::OnEvent(bool ok) {
  switch (step_) {
    case Step::kStart:
      ok ? Read() : Finish();
      return std::nullopt;
    case Step::kRead:
      if (!ok) {
        Finish();
        return std::nullopt;
      }
      TakeMessage();
      if (IsFull()) context_->TryCancel();
      Read();
      return std::nullopt;
    case Step::kFinish:
      reader_.reset();  // lies in memory of the context, which the next try replaces
      // However the stream ended, the page is complete.
      if (IsComplete()) return grpc::Status::OK;
      return status_.ok() && !got_message_ ? MalformedAnswer() : status_;
  }
  return std::nullopt;
}

void ScanCall::Read() {
  step_ = Step::kRead;
  reader_->Read(&message_, this);
}

void ScanCall::Finish() {
  step_ = Step::kFinish;
  reader_->Finish(&status_, this);
}

void ScanCall::TakeMessage() {
  got_message_ = true;
  page_bytes_ += message_.ByteSizeLong();
  page_.set_cursor(std::move(*message_.mutable_cursor()));
  for (v1::ScanEntry& entry : *message_.mutable_entries()) *page_.add_entries() = std::move(entry);
  message_.Clear();
}

bool ScanCall::IsFull() const { return page_bytes_ >= kPageBytes || TimeLeft() < timeout() / 2; }

bool ScanCall::IsComplete() const {
  if (!got_message_) return false;
  const bool limit_reached =
      request_.limit() != 0 && page_.entries_size() >= static_cast<int>(request_.limit());
  return page_.cursor().empty() || limit_reached || IsFull();
}

void ScanCall::Deliver(absl::Status status) {
  if (status.ok()) {
    done_(std::move(page_));
  } else {
    done_(std::move(status));
  }
}

}  // namespace ferrite
