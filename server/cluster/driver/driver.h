#pragma once

// Runs the core of this node with real clocks, a real etcd and the store: its only user of time.
//
// One thread feeds the core with what happens and does what it wants, in order; between that it
// takes entries out of the store that have become another node's. etcd has a thread of its own, so
// nothing that etcd does holds up this one.
//
// Before the node registers, it calls itself at the addresses that others are to be told. Otherwise
// a wrong one would give it slots that nobody could reach, or that another process would be asked
// for.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/cluster/cluster_member.h"
#include "server/cluster/core/core.h"
#include "server/cluster/driver/drops.h"
#include "server/cluster/driver/inbox.h"
#include "server/cluster/driver/store_effects.h"
#include "server/cluster/driver/view_listeners.h"
#include "server/cluster/etcd/etcd_client.h"
#include "server/dial/dial_credentials.h"

namespace ferrite::cluster {

struct DriverOptions {
  std::string cluster;
  std::string node_id;
  std::string zone;
  std::string version;  // of Ferrite
  std::vector<std::string> etcd_endpoints;
  DialCredentials etcd_credentials;
  DialCredentials peer_credentials;
  uint32_t serving_ttl_ms = 3'000;
  StoreEffects store;
  // Told whenever the node begins or ceases to take part: to serve what the map says it owns, and
  // to know whom to forward the rest to. Called on the driver's thread.
  std::function<void(bool ready)> set_ready;
};

// Thread-safe, but for Start and the end.
class Driver final : public ClusterMember {
 public:
  explicit Driver(DriverOptions options);
  // As Stop(): like a process that is killed, whose lease runs out by itself.
  ~Driver() override;

  // Begins. The node must serve PeerService at `address` by now; others reach it at
  // `internal_address`.
  void Start(const std::string& address, const std::string& internal_address);

  // Gives all slots to others; returns whether this node has none, at `end` at the latest.
  // Sooner if there is nobody else, or no right to serve.
  bool GiveAway(std::chrono::steady_clock::time_point end);
  // Serves nothing any more, and lets the lease go, so that others need not wait for its end.
  // Blocks until etcd has answered, a second at most.
  void Leave();
  // Calls nobody any more.
  void Stop();

  const std::string& cluster() const override { return options_.cluster; }
  const std::string& node_id() const override { return options_.node_id; }
  uint64_t boot_id() const override { return boot_id_; }
  const PublishedView& view() const override { return view_; }
  const ServingRight& right() const override { return right_; }
  MemberStatus status() const override;
  uint64_t AddListener(Listener listener) override { return listeners_.Add(std::move(listener)); }
  void RemoveListener(uint64_t number) override { listeners_.Remove(number); }
  void Drain(bool undo) override;
  absl::StatusOr<std::vector<PlannedMove>> Rebalance(bool dry_run) override;

  // For metrics.
  CoreStatus core_status() const;
  const EtcdTally& etcd_tally() const { return etcd_.tally(); }
  // By name, whether there is such a problem.
  std::vector<std::pair<const char*, bool>> problems() const;
  uint64_t slots_owned() const { return slots_owned_.load(std::memory_order_relaxed); }

 private:
  void Run(const CoreSettings& settings);
  // Returns false if the driver ends.
  bool ProveAddresses(const internal::v1::NodeRecord& self);
  // What is wrong with an address that others are told because of that flag; empty: nothing.
  std::string AddressTrouble(const std::string& address, const char* flag) const;
  void Step(const Event& event);
  void TellReadiness();
  bool HasOthers() const;
  void Do(AskEtcd call);
  void Do(const Serve& serve);
  void Do(Drop drop);
  void Do(const RaiseFloor& floor) { options_.store.raise_version_floor(floor.version); }
  void Do(const LimitVersions& limit) { options_.store.set_version_ceiling(limit.version); }
  void Do(const Report& report);
  void Do(const Drained&);
  void SetProblem(size_t problem, const std::string& text);
  std::chrono::steady_clock::time_point NextTime() const;

  const DriverOptions options_;
  const uint64_t boot_id_;
  PublishedView view_;
  ServingRight right_;
  ViewListeners listeners_;
  std::atomic<uint64_t> slots_owned_{0};
  Inbox inbox_;
  Drops drops_{&options_.store};
  // For the thread only.
  bool view_is_new_ = false;
  bool revoke_is_sent_ = false;
  bool ready_ = false;

  mutable Mutex core_mutex_;
  std::unique_ptr<Core> core_ ABSL_GUARDED_BY(core_mutex_);  // null: the address is not proven yet

  mutable Mutex mutex_;
  Condition changed_;
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);  // empty: there is no such
  bool drained_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;

  EtcdClient etcd_;     // its answers go to the inbox
  std::thread thread_;  // last
};

}  // namespace ferrite::cluster
