#pragma once

// ClusterService and PeerService, as functions from request to response and status. cluster.proto
// and peer.proto are their contracts.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "base/mutex.h"
#include "ferrite/internal/v1/peer.pb.h"
#include "ferrite/v1/cluster.pb.h"
#include "server/cluster/cluster_member.h"
#include "server/engine/rpc.h"

namespace ferrite {

// Thread-safe.
class ClusterHandlers {
 public:
  // `member` must outlive the handlers; null: the node is part of no cluster.
  explicit ClusterHandlers(cluster::ClusterMember* member);
  ~ClusterHandlers();
  ClusterHandlers(const ClusterHandlers&) = delete;
  ClusterHandlers& operator=(const ClusterHandlers&) = delete;

  absl::Status GetTopology(Turn* turn);
  // Goes on until its client goes or the server cancels it.
  absl::Status WatchTopology(Turn* turn);
  absl::Status Drain(const v1::DrainRequest& request, v1::DrainResponse* response);
  absl::Status Rebalance(const v1::RebalanceRequest& request, v1::RebalanceResponse* response);
  absl::Status Hello(const internal::v1::HelloRequest& request,
                     internal::v1::HelloResponse* response);

 private:
  class Watcher;

  // What all who ask for this view are told: it may be a megabyte.
  struct Told {
    uint64_t count = 0;  // of PublishedView
    v1::Topology topology;
    std::string response;  // a GetTopologyResponse with it, and so a WatchTopologyResponse
  };

  std::shared_ptr<const Told> Tell() ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<const Told> Describe(uint64_t count) const;
  // Writes a GetTopologyResponse or, as they are alike, a WatchTopologyResponse.
  void Write(const std::shared_ptr<const Told>& told, ReplyWriter* message) const;
  uint64_t ViewCount() const;
  uint32_t SlotsOwned();

  cluster::ClusterMember* const member_;
  uint64_t listener_ = 0;
  Mutex mutex_;
  std::shared_ptr<const Told> told_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_watcher_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Waker> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
