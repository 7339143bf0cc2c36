#include "server/handlers/replay_window.h"

#include <utility>

#include "server/metrics/thread_counters.h"
#include "server/status.h"

namespace ferrite {
namespace {

// Whether a status is the last word on a call.
bool IsOutcome(const grpc::Status& status) {
  return status.ok() || status.error_code() == grpc::StatusCode::OUT_OF_RANGE ||
         status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
}

}  // namespace

grpc::Status ReplayWindow::Once(std::string_view request_id,
                                const google::protobuf::MessageLite& request,
                                google::protobuf::MessageLite* response,
                                const std::function<grpc::Status()>& execute) {
  if (request_id.empty()) return execute();
  const std::string id(request_id);
  const size_t request_hash =
      std::hash<std::string>{}(request.GetTypeName() + request.SerializeAsString());
  Stripe& stripe = stripes_[std::hash<std::string>{}(id) % kStripes];
  // Held while the call executes: a repetition that comes meanwhile waits for the outcome.
  MutexLock lock(&stripe.mutex);
  PurgeStripe(&stripe);
  if (const auto seen = stripe.outcomes.find(id); seen != stripe.outcomes.end()) {
    if (seen->second.request_hash != request_hash) {
      return InvalidArgument(v1::ERROR_REASON_REQUEST_ID_REUSED,
                             "request_id was used for a different request less than 60 s ago");
    }
    response->ParseFromString(seen->second.response);
    return seen->second.status;
  }
  if (memory_bytes() >= limit_bytes_) {
    ThreadCounters::Current().Count(ShedReason::kRequestWindow);
    return MakeError(grpc::StatusCode::RESOURCE_EXHAUSTED, v1::ERROR_REASON_REQUEST_WINDOW_FULL,
                     "the outcomes of calls with a request_id within the last 60 s take " +
                         std::to_string(memory_bytes()) + " bytes; the limit is " +
                         std::to_string(limit_bytes_) + " (--request-window-bytes)",
                     {{"limit", std::to_string(limit_bytes_)}});
  }
  grpc::Status status = execute();
  if (!IsOutcome(status)) return status;
  Outcome outcome{request_hash, status, response->SerializeAsString()};
  memory_bytes_ += outcome.memory_bytes(id);
  stripe.expiring.push_back({clock_.MonotonicMs() + kReplayWindowMs, id});
  stripe.outcomes.emplace(id, std::move(outcome));
  return status;
}

void ReplayWindow::Purge() {
  for (Stripe& stripe : stripes_) {
    MutexLock lock(&stripe.mutex);
    PurgeStripe(&stripe);
  }
}

void ReplayWindow::PurgeStripe(Stripe* stripe) {
  const int64_t now_ms = clock_.MonotonicMs();
  while (!stripe->expiring.empty() && stripe->expiring.front().at_ms <= now_ms) {
    const auto outcome = stripe->outcomes.find(stripe->expiring.front().request_id);
    memory_bytes_ -= outcome->second.memory_bytes(outcome->first);
    stripe->outcomes.erase(outcome);
    stripe->expiring.pop_front();
  }
}

}  // namespace ferrite
