#pragma once

// Room for one call in flight. Its messages are created once and reused for every call, so that the
// load generator spends its time in gRPC and not in malloc. One operation is pending at a time.

#include <memory>
#include <optional>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/flight.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"

namespace ferrite::cli {

// Not thread-safe: belongs to one LoadThread.
class Lane final : public Flight {
 public:
  // The pointers must outlive the lane.
  Lane(const BenchOptions* options, v1::CacheService::Stub* stub, grpc::CompletionQueue* queue);

  // Deadline and latency of the call count from `intended`.
  void BeginCallAt(Clock::time_point intended, Workload* workload, bool counted);

  void BeginCall(Workload* workload, bool counted) override {
    BeginCallAt(Clock::now(), workload, counted);
  }
  void BeginPause() override;
  bool Proceed(bool ok) override;
  bool pausing() const override { return pausing_; }
  bool counted() const override { return counted_; }
  bool found_nobody() const override {
    return status_.error_code() == grpc::StatusCode::UNAVAILABLE;
  }
  void Count(Tallies* tallies) const override {
    Count(is_read() ? &tallies->reads : &tallies->writes);
  }
  void Cancel() override;

  // The call that ended.
  bool ok() const { return status_.ok(); }
  Clock::duration latency() const { return end_ - start_; }
  void Count(Tally* tally) const;

 private:
  template <class Request, class Response>
  struct Exchange {
    Request request;
    Response response;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  };

  void* tag() { return static_cast<Flight*>(this); }
  bool is_read() const { return kind_ == Workload::Kind::kGet || kind_ == Workload::Kind::kMGet; }
  // Sends exchange->request, which has been filled in.
  template <auto kPrepareAsync, class Request, class Response>
  void Send(Exchange<Request, Response>* exchange);
  void SendMGet(Workload* workload);
  void SendMSet(Workload* workload);

  const BenchOptions& options_;
  v1::CacheService::Stub* const stub_;
  grpc::CompletionQueue* const queue_;

  Exchange<v1::GetRequest, v1::GetResponse> get_;
  Exchange<v1::SetRequest, v1::SetResponse> set_;
  Exchange<v1::IncrRequest, v1::IncrResponse> incr_;
  Exchange<v1::MGetRequest, v1::MGetResponse> mget_;
  Exchange<v1::MSetRequest, v1::MSetResponse> mset_;

  Workload::Kind kind_ = Workload::Kind::kGet;
  bool counted_ = false;
  bool pausing_ = false;
  Clock::time_point start_;
  Clock::time_point end_;
  std::optional<grpc::ClientContext> context_;
  grpc::Status status_;
  grpc::Alarm alarm_;
};

}  // namespace ferrite::cli
