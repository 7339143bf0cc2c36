#pragma once

// Room for one frame in flight: a Pipeline stream that stays open between frames, and is reopened
// when it breaks.

#include <memory>
#include <optional>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/flight.h"
#include "client/cli/bench/frame_writer.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"

namespace ferrite::cli {

// Not thread-safe: belongs to one LoadThread.
class FrameLane final : public Flight {
 public:
  // The pointers must outlive the lane.
  FrameLane(const BenchOptions* options, grpc::GenericStub* stub, grpc::CompletionQueue* queue);

  void BeginCall(Workload* workload, bool counted) override;
  void BeginPause() override;
  bool Proceed(bool ok) override;
  bool pausing() const override { return step_ == Step::kPausing; }
  bool counted() const override { return counted_; }
  bool found_nobody() const override {
    return status_.error_code() == grpc::StatusCode::UNAVAILABLE;
  }
  void Count(Tallies* tallies) const override;
  void Cancel() override;
  void CancelIfOverdue(Clock::time_point now) override;

 private:
  enum class Step { kIdle, kPausing, kOpening, kExchanging, kFinishing };

  void Open();
  void Exchange();
  void Finish();
  bool End();
  void* tag() { return static_cast<Flight*>(this); }

  const BenchOptions& options_;
  grpc::GenericStub& stub_;
  grpc::CompletionQueue& queue_;
  FrameWriter writer_;

  Step step_ = Step::kIdle;
  int pending_ = 0;  // operations whose tag has not come back
  bool intact_ = true;
  bool overdue_ = false;
  bool counted_ = false;
  Clock::time_point start_;
  Clock::time_point end_;
  grpc::ByteBuffer frame_;
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  std::optional<grpc::ClientContext> context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;  // of *context_
  grpc::Alarm alarm_;
};

}  // namespace ferrite::cli
