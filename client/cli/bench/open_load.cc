#include "client/cli/bench/open_load.h"

#include "client/steady_time.h"

namespace ferrite::cli {
namespace {

// Starting calls and handling their ends take turns, so that neither delays the other for long.
constexpr int kBurst = 32;
// gRPC's waits are this coarse, so the thread polls during the last stretch before an arrival.
constexpr auto kCoarse = std::chrono::milliseconds(2);
constexpr auto kGrace = std::chrono::seconds(1);

}  // namespace

OpenLoadThread::OpenLoadThread(const BenchOptions& options,
                               const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                               double per_second, uint64_t seed, const RunState* state)
    : options_(options),
      state_(state),
      timeout_(absl::ToChronoNanoseconds(options.call_timeout)),
      max_lateness_(timeout_ / kLatenessPart),
      workload_(options, seed),
      arrivals_(options.arrivals, per_second, seed, Clock::now()) {
  for (const std::shared_ptr<grpc::Channel>& channel : channels) {
    stubs_.push_back(v1::CacheService::NewStub(channel));
  }
  for (int i = 0; i < options_.in_flight; ++i) {
    for (const auto& stub : stubs_) {
      lanes_.push_back(std::make_unique<Lane>(&options_, stub.get(), &queue_));
      free_lanes_.push_back(lanes_.back().get());
    }
  }
  thread_ = std::thread([this] { Run(); });
}

OpenLoadThread::~OpenLoadThread() { Join(); }

void OpenLoadThread::Join() {
  if (thread_.joinable()) thread_.join();
}

void OpenLoadThread::Run() {
  while (!state_->stopping) {
    StartDue();
    const Clock::time_point next = arrivals_.next();
    TakeEnded(next - Clock::now() > kCoarse ? next - kCoarse : Clock::time_point());
  }
  Drain();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

void OpenLoadThread::StartDue() {
  for (int i = 0; i < kBurst && arrivals_.next() <= Clock::now(); ++i) {
    Start(arrivals_.next());
    arrivals_.Advance();
  }
}

void OpenLoadThread::Start(Clock::time_point intended) {
  const bool counted = state_->counting;
  if (counted) Tally::Add(tally_.offered, 1);
  if (free_lanes_.empty() || Clock::now() - intended > max_lateness_) {
    if (counted) Tally::Add(tally_.unsent, 1);
    return;
  }
  Lane* lane = free_lanes_.front();
  free_lanes_.pop_front();
  lane->BeginCallAt(intended, &workload_, counted);
}

void OpenLoadThread::TakeEnded(Clock::time_point until) {
  gpr_timespec wait = ToGrpc(until);
  void* tag;
  bool ok;
  for (int i = 0; i < kBurst; ++i) {
    if (queue_.AsyncNext(&tag, &ok, wait) != grpc::CompletionQueue::GOT_EVENT) return;
    OnEnd(static_cast<Lane*>(static_cast<Flight*>(tag)));
    wait = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  }
}

void OpenLoadThread::OnEnd(Lane* lane) {
  lane->Proceed(true);
  free_lanes_.push_back(lane);
  if (!lane->counted()) return;
  if (lane->ok() && lane->latency() > timeout_) return Tally::Add(tally_.late, 1);
  lane->Count(&tally_.calls);
}

void OpenLoadThread::Drain() {
  const Clock::time_point end = Clock::now() + timeout_ + kGrace;
  bool cancelled = false;
  while (free_lanes_.size() < lanes_.size()) {
    if (!cancelled && Clock::now() > end) {
      for (const std::unique_ptr<Lane>& lane : lanes_) lane->Cancel();
      cancelled = true;
    }
    TakeEnded(Clock::now() + kCoarse);
  }
}

}  // namespace ferrite::cli
