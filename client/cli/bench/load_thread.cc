#include "client/cli/bench/load_thread.h"

namespace ferrite::cli {
namespace {

// How often a thread looks up when nothing happens.
constexpr auto kTick = std::chrono::milliseconds(100);
constexpr auto kGrace = std::chrono::seconds(1);

}  // namespace

LoadThread::LoadThread(const BenchOptions& options,
                       const std::vector<std::shared_ptr<grpc::Channel>>& channels, uint64_t seed,
                       std::optional<uint64_t> quota, const RunState* state)
    : options_(options), state_(state), workload_(options, seed), quota_(quota) {
  for (const std::shared_ptr<grpc::Channel>& channel : channels) {
    stubs_.push_back(v1::CacheService::NewStub(channel));
    for (int i = 0; i < options_.in_flight; ++i) {
      lanes_.push_back(std::make_unique<Lane>(&options_, stubs_.back().get(), &queue_));
    }
  }
  thread_ = std::thread([this] { Run(); });
}

LoadThread::~LoadThread() { thread_.join(); }

void LoadThread::Run() {
  busy_lanes_ = lanes_.size();
  for (const std::unique_ptr<Lane>& lane : lanes_) Continue(lane.get());
  std::optional<Clock::time_point> stop_seen;
  while (busy_lanes_ > 0) {
    void* tag;
    bool ok;
    const auto outcome = queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kTick);
    if (outcome == grpc::CompletionQueue::GOT_EVENT) {
      OnEvent(static_cast<Lane*>(tag));
    } else if (state_->stopping) {
      if (!stop_seen.has_value()) stop_seen = Clock::now();
      if (Clock::now() - *stop_seen < kGrace) continue;
      for (const std::unique_ptr<Lane>& lane : lanes_) lane->Cancel();
    }
  }
  finished_ = true;
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

void LoadThread::OnEvent(Lane* lane) {
  const bool paused = lane->pausing();
  lane->End();
  if (paused) return Continue(lane);
  if (lane->counted() && state_->counting) {
    lane->Count(lane->is_read() ? &reads_ : &writes_);
    last_end_.store(Clock::now(), std::memory_order_relaxed);
  }
  lane->found_nobody() && !state_->stopping ? lane->BeginPause() : Continue(lane);
}

void LoadThread::Continue(Lane* lane) {
  const bool counted = state_->counting;
  if (state_->stopping || (counted && quota_ == 0)) {
    --busy_lanes_;
    return;
  }
  if (counted && quota_.has_value()) --*quota_;
  lane->BeginCall(&workload_, counted);
}

}  // namespace ferrite::cli
