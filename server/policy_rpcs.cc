#include "server/policy_rpcs.h"

#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "ferrite/v1/admin.pb.h"
#include "server/call/status.h"
#include "server/handlers/typed_handler.h"

namespace ferrite {
namespace {

absl::Status Elsewhere() {
  return MakeError(absl::StatusCode::kFailedPrecondition, v1::POLICY_ELSEWHERE,
                   "this node has no policy in etcd (--policy-in-etcd): it has that of a file "
                   "(--policy), or none");
}

// What came of a put, which outlives the call if that ends first.
struct Outcome {
  Mutex mutex;
  std::optional<absl::StatusOr<int64_t>> revision ABSL_GUARDED_BY(mutex);
};

class PutAnswer final : public Answer {
 public:
  explicit PutAnswer(std::shared_ptr<Outcome> outcome) : outcome_(std::move(outcome)) {}

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    MutexLock lock(&outcome_->mutex);
    if (!outcome_->revision.has_value()) return Next::kWait;
    const absl::StatusOr<int64_t>& revision = *outcome_->revision;
    if (!revision.ok()) {
      end->status = revision.status();
      return Next::kEnd;
    }
    v1::PutPolicyResponse response;
    response.set_revision(*revision);
    message->AppendMessage(response);
    return Next::kEnd;
  }

 private:
  const std::shared_ptr<Outcome> outcome_;
};

}  // namespace

absl::Status OpenPutPolicy(EtcdPolicy* policy, Turn* turn) {
  v1::PutPolicyRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("PutPolicyRequest");
  if (policy == nullptr) return Elsewhere();
  if (absl::Status status = policy->Check(request.policy()); !status.ok()) return status;
  if (request.dry_run()) {
    const std::optional<EtcdPolicy::Held> held = policy->held();
    v1::PutPolicyResponse response;
    response.set_revision(held.has_value() ? held->revision : 0);
    turn->reply()->AppendMessage(response);
    return absl::OkStatus();
  }
  auto outcome = std::make_shared<Outcome>();
  turn->Later(std::make_unique<PutAnswer>(outcome));
  const std::optional<int64_t> revision =
      request.has_if_revision() ? std::optional(request.if_revision()) : std::nullopt;
  policy->Put(request.policy(), revision,
              [outcome, waker = turn->waker()](absl::StatusOr<int64_t> put) {
                {
                  MutexLock lock(&outcome->mutex);
                  outcome->revision = std::move(put);
                }
                waker.Wake();
              });
  return absl::OkStatus();
}

absl::Status GetPolicy(const EtcdPolicy* policy, Turn* turn) {
  v1::GetPolicyRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("GetPolicyRequest");
  if (policy == nullptr) return Elsewhere();
  const std::optional<EtcdPolicy::Held> held = policy->held();
  if (!held.has_value()) {
    return MakeError(absl::StatusCode::kUnavailable, v1::ETCD_SILENT,
                     "this node has had no answer of etcd yet");
  }
  v1::GetPolicyResponse response;
  response.set_policy(held->text);
  response.set_revision(held->revision);
  turn->reply()->AppendMessage(response);
  return absl::OkStatus();
}

}  // namespace ferrite
