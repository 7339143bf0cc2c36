#include "server/cluster/etcd/verdict.h"

#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ferrite::cluster {
namespace {

// The member has lost its cluster, which it looks at before anything else.
bool HasNoLeader(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message() == "etcdserver: no leader";
}

// Whether etcd itself said that it would not do it. gRPC makes none of these up, but for
// UNIMPLEMENTED, for a method that the server does not have, and RESOURCE_EXHAUSTED, which also
// stands for an answer that is too large.
bool IsRefusal(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNIMPLEMENTED:
      return true;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return absl::StartsWith(status.error_message(), "etcdserver: ");
    default:
      return false;
  }
}

std::string_view NameOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
      return "cancelled";
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return "no answer in time";
    case grpc::StatusCode::UNAVAILABLE:
      return "unavailable";
    default:
      return "an error";
  }
}

}  // namespace

Verdict JudgeFailure(const grpc::Status& status) {
  constexpr size_t kMostOfItsText = 200;
  Verdict verdict;
  verdict.error = absl::StrCat(std::string(NameOf(status.error_code())), ": ",
                               status.error_message().substr(0, kMostOfItsText));
  if (HasNoLeader(status)) {
    verdict.outcome = EtcdOutcome::kNotExecuted;
    verdict.failure = EtcdFailure::kUnreachable;
  } else if (IsRefusal(status)) {
    verdict.outcome = EtcdOutcome::kNotExecuted;
    verdict.failure = EtcdFailure::kRefused;
  } else if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    verdict.failure = EtcdFailure::kTimeout;
  }
  return verdict;
}

}  // namespace ferrite::cluster
