#include "client/cli/bench/frame_lane.h"

#include <algorithm>

#include "client/cli/bench/frame_reply.h"
#include "client/steady_time.h"

namespace ferrite::cli {
namespace {

constexpr auto kFramePause = std::chrono::milliseconds(10);
constexpr char kMethod[] = "/ferrite.v1.CacheService/Pipeline";

void Add(const OutcomeCounts& counts, Tally* tally) {
  Tally::Add(tally->keys, counts.done);
  Tally::Add(tally->hits, counts.hits);
  for (size_t code = 0; code < kStatusCodes; ++code) {
    if (counts.errors[code] != 0) Tally::Add(tally->errors[code], counts.errors[code]);
  }
}

// The tally that counts frames with these operations.
Tally* TallyOf(const std::vector<Workload::Kind>& kinds, Tallies* tallies) {
  const auto reads = std::count(kinds.begin(), kinds.end(), Workload::Kind::kGet);
  if (reads == 0) return &tallies->writes;
  return reads == static_cast<ptrdiff_t>(kinds.size()) ? &tallies->reads : &tallies->mixed;
}

}  // namespace

FrameLane::FrameLane(const BenchOptions* options, grpc::GenericStub* stub,
                     grpc::CompletionQueue* queue)
    : options_(*options), stub_(*stub), queue_(*queue), writer_(*options) {}

void FrameLane::BeginCall(Workload* workload, bool counted) {
  counted_ = counted;
  overdue_ = false;
  frame_ = writer_.Write(workload);
  start_ = Clock::now();
  stream_ == nullptr ? Open() : Exchange();
}

void FrameLane::BeginPause() {
  step_ = Step::kPausing;
  pending_ = 1;
  alarm_.Set(&queue_, GrpcTimeIn(kFramePause), tag());
}

void FrameLane::Open() {
  step_ = Step::kOpening;
  pending_ = 1;
  intact_ = true;
  context_.emplace();
  stream_ = stub_.PrepareCall(&*context_, kMethod, &queue_);
  stream_->StartCall(tag());
}

void FrameLane::Exchange() {
  step_ = Step::kExchanging;
  pending_ = 2;
  stream_->Write(frame_, tag());
  stream_->Read(&reply_, tag());
}

void FrameLane::Finish() {
  step_ = Step::kFinishing;
  pending_ = 1;
  stream_->Finish(&status_, tag());
}

bool FrameLane::End() {
  step_ = Step::kIdle;
  end_ = Clock::now();
  return true;
}

bool FrameLane::Proceed(bool ok) {
  intact_ = intact_ && ok;
  if (--pending_ > 0) return false;
  switch (step_) {
    case Step::kOpening:
      intact_ ? Exchange() : Finish();
      return false;
    case Step::kExchanging:
      if (!intact_) {
        Finish();
        return false;
      }
      status_ = grpc::Status::OK;
      return End();
    case Step::kFinishing:
      stream_.reset();
      context_.reset();
      if (overdue_) status_ = {grpc::StatusCode::DEADLINE_EXCEEDED, "no reply in time"};
      if (status_.ok()) status_ = {grpc::StatusCode::UNAVAILABLE, "ended without a reply"};
      return End();
    case Step::kPausing:
    case Step::kIdle:
      return End();
  }
  return true;
}

void FrameLane::Count(Tallies* tallies) const {
  Tally* const frames = TallyOf(writer_.kinds(), tallies);
  const auto count_error = [&](grpc::StatusCode code) {
    Tally::Add(frames->errors[ErrorIndex(code)], 1);
  };
  if (!status_.ok()) return count_error(status_.error_code());
  const std::optional<FrameCounts> counts = CountReply(reply_, writer_.kinds());
  if (!counts.has_value()) return count_error(grpc::StatusCode::INTERNAL);
  frames->latency.Record(absl::FromChrono(end_ - start_));
  Add(counts->reads, &tallies->reads);
  Add(counts->writes, &tallies->writes);
}

void FrameLane::Cancel() {
  if (step_ == Step::kPausing) {
    alarm_.Cancel();
  } else if (context_.has_value()) {
    context_->TryCancel();
  }
}

void FrameLane::CancelIfOverdue(Clock::time_point now) {
  // The stream outlives its frames, so it has no deadline.
  if (step_ != Step::kOpening && step_ != Step::kExchanging) return;
  if (now - start_ < absl::ToChronoNanoseconds(options_.call_timeout)) return;
  overdue_ = true;
  Cancel();
}

}  // namespace ferrite::cli
