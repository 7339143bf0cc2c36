#include "server/handlers/replay_window.h"

#include <algorithm>
#include <utility>

#include "server/admission/gate.h"
#include "server/call/caller.h"
#include "server/call/status.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

// The host that the current call came from, whichever connection it took: "ipv4:10.0.0.7" of
// "ipv4:10.0.0.7:50000".
std::string CurrentClient() {
  if (current_caller == nullptr) return {};
  std::string peer = current_caller->peer();
  if (peer.starts_with("ip")) peer.resize(std::min(peer.size(), peer.rfind(':')));
  return peer;
}

// What a repetition is told if the first answer is not kept.
absl::Status TooLargeToKeep(const google::protobuf::MessageLite& response) {
  const std::string limit = std::to_string(ReplayWindow::kMaxAnswerBytes);
  const std::string text =
      "the call with this request_id was executed before, and its answer, of " +
      std::to_string(response.ByteSizeLong()) + " bytes, was not kept: " + "the limit is " + limit;
  const auto* set = dynamic_cast<const v1::SetResponse*>(&response);
  if (set == nullptr) {
    return MakeError(absl::StatusCode::kAlreadyExists, v1::REPLAY_TOO_LARGE, text,
                     {{"limit", limit}});
  }
  const std::string version = std::to_string(set->version());
  return MakeError(
      absl::StatusCode::kAlreadyExists, v1::REPLAY_TOO_LARGE,
      text + (set->stored() ? "; it stored version " : "; it stored nothing, at version ") +
          version,
      {{"limit", limit}, {"stored", set->stored() ? "true" : "false"}, {"version", version}});
}

// Whether a status is the last word on a call.
bool IsOutcome(const absl::Status& status) {
  return status.ok() || absl::IsOutOfRange(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

KeyedDigest RequestHash::Of(const google::protobuf::Message& request) {
  RequestHash hash(request.GetDescriptor()->full_name());
  hash.Add(request.SerializeAsString());
  return hash.Finish();
}

KeyedDigest ReplayWindow::Scoped(std::string_view request_id) const {
  std::string id(forwarded_scope);
  if (id.empty() && scope_of_ != nullptr && current_caller != nullptr) {
    id = scope_of_(*current_caller);
  }
  // So that no scope and id look like others.
  id += static_cast<char>(id.size());
  return KeyedHash::Of(id.append(request_id));
}

absl::Status ReplayWindow::Once(std::string_view request_id,
                                const google::protobuf::Message& request,
                                google::protobuf::MessageLite* response,
                                const std::function<absl::Status()>& execute) {
  if (request_id.empty()) return execute();
  return Once(request_id, RequestHash::Of(request), response, execute);
}

absl::Status ReplayWindow::Once(std::string_view request_id, const KeyedDigest& request_hash,
                                google::protobuf::MessageLite* response,
                                const std::function<absl::Status()>& execute) {
  if (request_id.empty()) return execute();
  const KeyedDigest id = Scoped(request_id);
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
  const std::string client = CurrentClient();
  if (absl::Status room = CheckRoom(client); !room.ok()) {
    ThreadCounters::Current().Count(ShedReason::kRequestWindow);
    return room;
  }
  absl::Status status = execute();
  if (!IsOutcome(status)) return status;
  Outcome outcome{request_hash, status, {}};
  if (response->ByteSizeLong() <= kMaxAnswerBytes) {
    outcome.response = response->SerializeAsString();
  } else {
    outcome.status = TooLargeToKeep(*response);
  }
  const size_t bytes = outcome.memory_bytes();
  memory_bytes_ += bytes;
  stripe.outcomes.emplace(id, std::move(outcome));
  stripe.expiring.push_back(
      {clock_.MonotonicMs() + kReplayWindowMs, id, shares_.Add(client, bytes)});
  stripe.next_ms.store(stripe.expiring.front().at_ms, std::memory_order_relaxed);
  return status;
}

absl::Status ReplayWindow::CheckRoom(const std::string& client) const {
  const size_t used = memory_bytes();
  const size_t free = limit_bytes_ - std::min(limit_bytes_, used);
  const size_t of_client = shares_.BytesOf(client);
  if (free > 0 && of_client <= kShareOfFree * free) return absl::OkStatus();
  const std::string limit = std::to_string(limit_bytes_);
  std::string text = "the outcomes of calls with a request_id within the last 60 s take " +
                     std::to_string(used) + " of " + limit + " bytes (--request-window-bytes)";
  if (free > 0) {
    text += ", those of this client " + std::to_string(of_client) +
            ": more than three times of what is left, which is for others";
  }
  return MakeError(absl::StatusCode::kResourceExhausted, v1::REQUEST_WINDOW_FULL, text,
                   {{"limit", limit}, {kRetryAfterFact, std::to_string(OldestIsPastInMs())}});
}

int64_t ReplayWindow::OldestIsPastInMs() const {
  // Below this a client is back before anything has changed.
  constexpr int64_t kLeastMs = 10;
  int64_t oldest_ms = kNever;
  for (const Stripe& stripe : stripes_)
    oldest_ms = std::min(oldest_ms, stripe.next_ms.load(std::memory_order_relaxed));
  if (oldest_ms == kNever) return kReplayWindowMs;
  return std::clamp(oldest_ms - clock_.MonotonicMs(), kLeastMs, kReplayWindowMs);
}

bool ReplayWindow::Knows(std::string_view request_id) {
  if (request_id.empty()) return false;
  const KeyedDigest id = Scoped(request_id);
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
    const auto outcome = stripe->outcomes.find(stripe->expiring.front().id);
    const size_t bytes = outcome->second.memory_bytes();
    memory_bytes_ -= bytes;
    shares_.Remove(stripe->expiring.front().share, bytes);
    stripe->outcomes.erase(outcome);
    stripe->expiring.pop_front();
  }
  stripe->next_ms.store(stripe->expiring.empty() ? kNever : stripe->expiring.front().at_ms,
                        std::memory_order_relaxed);
}

}  // namespace ferrite
