#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "server/cluster/etcd/etcd_answer.h"
#include "server/cluster/etcd/etcd_tally.h"

namespace ferrite::cluster {

// What the status of a call that failed means.
struct Verdict {
  EtcdOutcome outcome = EtcdOutcome::kUnknown;
  EtcdFailure failure = EtcdFailure::kBroken;
  std::string error;
};

// Of a call that went out. Unless etcd refused it, nothing is known: a transaction may still lie in
// etcd's queue when its connection is long gone.
Verdict JudgeFailure(const grpc::Status& status);

}  // namespace ferrite::cluster
