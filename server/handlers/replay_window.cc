#include "server/handlers/replay_window.h"

#include <utility>

#include "server/call/status.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

// Whether a status is the last word on a call.
bool IsOutcome(const absl::Status& status) {
  return status.ok() || absl::IsOutOfRange(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

RequestHash RequestHash::Of(const google::protobuf::Message& request) {
  const std::string bytes = request.SerializeAsString();
  RequestHash hash(request.GetDescriptor()->full_name());
  for (size_t begin = 0; begin < bytes.size(); begin += kPieceBytes) {
    hash.Add(std::string_view(bytes).substr(begin, kPieceBytes));
  }
  return hash;
}

absl::Status ReplayWindow::Once(std::string_view request_id,
                                const google::protobuf::Message& request,
                                google::protobuf::MessageLite* response,
                                const std::function<absl::Status()>& execute) {
  if (request_id.empty()) return execute();
  return Once(request_id, RequestHash::Of(request).value(), response, execute);
}

absl::Status ReplayWindow::Once(std::string_view request_id, size_t request_hash,
                                google::protobuf::MessageLite* response,
                                const std::function<absl::Status()>& execute) {
  if (request_id.empty()) return execute();
  const std::string id(request_id);
  Stripe& stripe = StripeOf(id);
  // Held while the call executes: a repetition that comes meanwhile waits for the outcome.
  MutexLock lock(&stripe.mutex);
  PurgeStripe(&stripe);
  if (const auto seen = stripe.outcomes.find(id); seen != stripe.outcomes.end()) {
    if (seen->second.request_hash != request_hash) {
      return InvalidArgument(v1::REQUEST_ID_REUSED,
                             "request_id was used for a different request less than 60 s ago");
    }
    response->ParseFromString(seen->second.response);
    return seen->second.status;
  }
  if (memory_bytes() >= limit_bytes_) {
    ThreadCounters::Current().Count(ShedReason::kRequestWindow);
    return MakeError(absl::StatusCode::kResourceExhausted, v1::REQUEST_WINDOW_FULL,
                     "the outcomes of calls with a request_id within the last 60 s take " +
                         std::to_string(memory_bytes()) + " bytes; the limit is " +
                         std::to_string(limit_bytes_) + " (--request-window-bytes)",
                     {{"limit", std::to_string(limit_bytes_)}});
  }
  absl::Status status = execute();
  if (!IsOutcome(status)) return status;
  Outcome outcome{request_hash, status, response->SerializeAsString()};
  memory_bytes_ += outcome.memory_bytes(id);
  stripe.expiring.push_back({clock_.MonotonicMs() + kReplayWindowMs, id});
  stripe.outcomes.emplace(id, std::move(outcome));
  return status;
}

bool ReplayWindow::Knows(std::string_view request_id) {
  if (request_id.empty()) return false;
  const std::string id(request_id);
  Stripe& stripe = StripeOf(id);
  MutexLock lock(&stripe.mutex);
  PurgeStripe(&stripe);
  return stripe.outcomes.contains(id);
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
