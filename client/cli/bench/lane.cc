#include "client/cli/bench/lane.h"

#include <algorithm>

#include "client/steady_time.h"

namespace ferrite::cli {
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);

}  // namespace

Lane::Lane(const BenchOptions* options, v1::CacheService::Stub* stub, grpc::CompletionQueue* queue)
    : options_(*options), stub_(stub), queue_(queue) {}

template <auto kPrepareAsync, class Request, class Response>
void Lane::Send(Exchange<Request, Response>* exchange) {
  context_.emplace();
  context_->set_deadline(ToGrpc(start_ + absl::ToChronoNanoseconds(options_.call_timeout)));
  exchange->reader = (stub_->*kPrepareAsync)(&*context_, exchange->request, queue_);
  exchange->reader->StartCall();
  exchange->reader->Finish(&exchange->response, &status_, tag());
}

void Lane::BeginCallAt(Clock::time_point intended, Workload* workload, bool counted) {
  using Stub = v1::CacheService::Stub;
  counted_ = counted;
  start_ = intended;
  kind_ = workload->NextKind();
  switch (kind_) {
    case Workload::Kind::kGet:
      workload->NextKey(get_.request.mutable_key());
      return Send<&Stub::PrepareAsyncGet>(&get_);
    case Workload::Kind::kSet:
      workload->NextKey(set_.request.mutable_key());
      set_.request.set_value(workload->value());
      return Send<&Stub::PrepareAsyncSet>(&set_);
    case Workload::Kind::kIncr:
      workload->NextCounterKey(incr_.request.mutable_key());
      return Send<&Stub::PrepareAsyncIncr>(&incr_);
    case Workload::Kind::kMGet:
      return SendMGet(workload);
    case Workload::Kind::kMSet:
      return SendMSet(workload);
  }
}

void Lane::SendMGet(Workload* workload) {
  v1::MGetRequest& request = mget_.request;
  while (request.keys_size() < options_.batch) request.add_keys();
  for (std::string& key : *request.mutable_keys()) workload->NextKey(&key);
  Send<&v1::CacheService::Stub::PrepareAsyncMGet>(&mget_);
}

void Lane::SendMSet(Workload* workload) {
  v1::MSetRequest& request = mset_.request;
  while (request.entries_size() < options_.batch) {
    request.add_entries()->set_value(workload->value());
  }
  for (v1::SetRequest& entry : *request.mutable_entries()) workload->NextKey(entry.mutable_key());
  Send<&v1::CacheService::Stub::PrepareAsyncMSet>(&mset_);
}

void Lane::BeginPause() {
  pausing_ = true;
  alarm_.Set(queue_, GrpcTimeIn(kPause), tag());
}

bool Lane::Proceed(bool /*ok*/) {
  end_ = Clock::now();
  pausing_ = false;
  // They lie in memory of the context, which the next call replaces.
  get_.reader.reset();
  set_.reader.reset();
  incr_.reader.reset();
  mget_.reader.reset();
  mset_.reader.reset();
  return true;
}

void Lane::Count(Tally* tally) const {
  if (!status_.ok()) return Tally::Add(tally->errors[ErrorIndex(status_.error_code())], 1);
  tally->latency.Record(absl::FromChrono(end_ - start_));
  switch (kind_) {
    case Workload::Kind::kGet:
      Tally::Add(tally->keys, 1);
      return Tally::Add(tally->hits, get_.response.found() ? 1 : 0);
    case Workload::Kind::kSet:
    case Workload::Kind::kIncr:
      return Tally::Add(tally->keys, 1);
    case Workload::Kind::kMGet: {
      const auto& results = mget_.response.results();
      Tally::Add(tally->keys, results.size());
      const auto found = [](const v1::GetResponse& read) { return read.found(); };
      return Tally::Add(tally->hits, std::count_if(results.begin(), results.end(), found));
    }
    case Workload::Kind::kMSet:
      for (const v1::MSetResult& result : mset_.response.results()) {
        Tally::Add(
            result.has_error() ? tally->errors[ErrorIndex(result.error().code())] : tally->keys, 1);
      }
      return;
  }
}

void Lane::Cancel() {
  if (pausing_) {
    alarm_.Cancel();
  } else if (context_.has_value()) {
    context_->TryCancel();
  }
}

}  // namespace ferrite::cli
