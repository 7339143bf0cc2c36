#pragma once

// AdminService.PutPolicy and GetPolicy.

#include "absl/status/status.h"
#include "server/engine/rpc.h"
#include "server/etcd_policy.h"

namespace ferrite {

// `policy` is null where the policy is not in etcd; otherwise it must outlive the call.
absl::Status OpenPutPolicy(EtcdPolicy* policy, Turn* turn);
absl::Status GetPolicy(const EtcdPolicy* policy, Turn* turn);

}  // namespace ferrite
