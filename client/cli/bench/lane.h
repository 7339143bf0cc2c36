#pragma once

// Room for one call in flight. Its messages are made once and used for every call, so that the load
// tool spends its time in gRPC and not in malloc. A lane is its own tag in the completion queue; it
// has one operation pending at a time.

#include <chrono>
#include <memory>
#include <optional>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/tally.h"
#include "client/cli/bench/workload.h"
#include "ferrite/v1/cache.grpc.pb.h"
#include "grpcpp/alarm.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"

namespace ferrite::cli {

// Not thread-safe: belongs to one LoadThread.
class Lane {
 public:
  // The pointers must outlive the lane.
  Lane(const BenchOptions* options, v1::CacheService::Stub* stub, grpc::CompletionQueue* queue);

  using Clock = std::chrono::steady_clock;

  // Starts the next call of `workload`. `counted`: whether it is to appear in the result. Its
  // deadline and its latency count from `intended`, if it was meant to start then, else from now.
  void BeginCall(Workload* workload, bool counted,
                 std::optional<Clock::time_point> intended = std::nullopt);
  // Starts a pause instead: a server that is away is not asked again at once.
  void BeginPause();

  // The pending operation has ended.
  void End();

  bool pausing() const { return pausing_; }
  bool counted() const { return counted_; }
  bool is_read() const { return kind_ == Workload::Kind::kGet || kind_ == Workload::Kind::kMGet; }
  // Whether the call that ended found nobody at the other end.
  bool found_nobody() const { return status_.error_code() == grpc::StatusCode::UNAVAILABLE; }
  bool ok() const { return status_.ok(); }
  Clock::duration latency() const { return end_ - start_; }
  // Adds the call that ended to `*tally`.
  void Count(Tally* tally) const;

  // Makes the pending operation end soon.
  void Cancel();

 private:
  template <class Request, class Response>
  struct Exchange {
    Request request;
    Response response;
    std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader;
  };

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
  std::optional<Clock::time_point> intended_;
  Clock::time_point start_;
  Clock::time_point end_;
  std::optional<grpc::ClientContext> context_;
  grpc::Status status_;
  grpc::Alarm alarm_;
};

}  // namespace ferrite::cli
