#pragma once

// Whether it is still the etcd that it was.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "etcd/rpc.pb.h"

namespace ferrite::cluster {

class EtcdIdentity {
 public:
  // Looks at the answer to a transaction that was sent when `known_revision` was known. An error,
  // which says why, if it comes from another cluster or from the past.
  absl::Status Check(const etcdserverpb::ResponseHeader& header, int64_t known_revision) {
    if (cluster_id_ == 0) cluster_id_ = header.cluster_id();
    if (header.cluster_id() != cluster_id_)
      return absl::FailedPreconditionError(
          absl::StrFormat("etcd's cluster id was %x and is %x", cluster_id_, header.cluster_id()));
    if (header.revision() < known_revision)
      return absl::FailedPreconditionError(
          absl::StrFormat("etcd's revision was %d and is %d", known_revision, header.revision()));
    return absl::OkStatus();
  }

  uint64_t cluster_id() const { return cluster_id_; }

 private:
  uint64_t cluster_id_ = 0;  // 0: not known yet
};

}  // namespace ferrite::cluster
