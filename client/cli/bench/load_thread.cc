#include "client/cli/bench/load_thread.h"

#include "client/cli/bench/frame_lane.h"
#include "client/cli/bench/lane.h"
#include "client/steady_time.h"

namespace ferrite::cli {
namespace {

// How often a thread wakes up when nothing happens.
constexpr auto kPollTime = std::chrono::milliseconds(100);

}  // namespace

LoadThread::LoadThread(const BenchOptions& options,
                       const std::vector<std::shared_ptr<grpc::Channel>>& channels, uint64_t seed,
                       std::optional<uint64_t> quota, const RunState* state)
    : options_(options), state_(state), workload_(options, seed), quota_(quota) {
  for (const std::shared_ptr<grpc::Channel>& channel : channels) AddFlights(channel);
  thread_ = std::thread([this] { Run(); });
}

LoadThread::~LoadThread() { thread_.join(); }

void LoadThread::AddFlights(const std::shared_ptr<grpc::Channel>& channel) {
  stubs_.push_back(v1::CacheService::NewStub(channel));
  generic_stubs_.push_back(std::make_unique<grpc::GenericStub>(channel));
  for (int i = 0; i < options_.in_flight; ++i) {
    switch (options_.mode) {
      case BenchMode::kUnary:
      case BenchMode::kMGet:
        flights_.push_back(std::make_unique<Lane>(&options_, stubs_.back().get(), &queue_));
        break;
      case BenchMode::kPipeline:
        flights_.push_back(
            std::make_unique<FrameLane>(&options_, generic_stubs_.back().get(), &queue_));
        break;
      case BenchMode::kAuto:  // ClientLoad
        break;
    }
  }
}

void LoadThread::Run() {
  busy_flights_ = flights_.size();
  for (const std::unique_ptr<Flight>& flight : flights_) Continue(flight.get());
  while (busy_flights_ > 0) {
    void* tag;
    bool ok;
    const auto outcome = queue_.AsyncNext(&tag, &ok, GrpcTimeIn(kPollTime));
    outcome == grpc::CompletionQueue::GOT_EVENT ? OnEvent(static_cast<Flight*>(tag), ok)
                                                : OnSilence();
  }
  Finish();
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

void LoadThread::OnSilence() {
  const Clock::time_point now = Clock::now();
  if (state_->stopping && !stop_seen_.has_value()) stop_seen_ = now;
  const bool grace_is_over = stop_seen_.has_value() && now - *stop_seen_ >= kEndGrace;
  for (const std::unique_ptr<Flight>& flight : flights_) {
    grace_is_over ? flight->Cancel() : flight->CancelIfOverdue(now);
  }
}

void LoadThread::OnEvent(Flight* flight, bool ok) {
  const bool paused = flight->pausing();
  if (!flight->Proceed(ok)) return;
  if (paused) return Continue(flight);
  if (flight->counted() && state_->counting) {
    flight->Count(&tallies_);
    NoteEnd(Clock::now());
  }
  flight->found_nobody() && !state_->stopping ? flight->BeginPause() : Continue(flight);
}

void LoadThread::Continue(Flight* flight) {
  const bool counted = state_->counting;
  if (state_->stopping || (counted && quota_ == 0)) {
    --busy_flights_;
    return;
  }
  if (counted && quota_.has_value()) --*quota_;
  flight->BeginCall(&workload_, counted);
}

}  // namespace ferrite::cli
