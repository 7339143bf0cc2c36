#pragma once

// The way between processes and etcd, and etcd's health.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "server/cluster/core/action.h"
#include "server/cluster/core/event.h"
#include "tests/simulation/sim_etcd.h"

namespace ferrite::simulation {

class SimProcess;
class World;

class Network {
 public:
  enum class Etcd {
    kUp,
    kRefuses,  // calls are certainly not executed
    kSilent,   // nothing comes, nor is anything executed
    kMute,     // calls are executed, but nobody hears of it
  };

  explicit Network(World* world) : world_(*world) {}

  // The call arrives, late, twice or never; so does its reply, or the end of its time.
  void Send(const std::shared_ptr<SimProcess>& process, const cluster::AskEtcd& call);
  // A change of etcd's keys is told to all processes that hear of it.
  void Tell(const mvccpb::Event& event);

  void SetEtcd(Etcd state) { etcd_ = state; }
  Etcd etcd() const { return etcd_; }
  void SetSlowness(double factor) { slowness_ = factor; }
  void SetQuality(double spike, double loss, double duplication) {
    spike_ = spike;
    loss_ = loss;
    duplication_ = duplication;
  }
  // What is done with the next change of the map, before it is under way: by how much it is late.
  void SetBadMoment(std::function<int64_t()> bad_moment) { bad_moment_ = std::move(bad_moment); }
  uint64_t calls() const { return calls_; }

 private:
  struct Pending;

  int64_t Delay();
  bool Lost();
  bool ChangesMap(const cluster::AskEtcd& call) const;
  cluster::EtcdReply Execute(const cluster::AskEtcd& call);
  void Garble(cluster::EtcdReply* reply);
  void Arrive(const std::shared_ptr<Pending>& pending);
  void Answer(const std::shared_ptr<Pending>& pending, cluster::EtcdReply reply);

  World& world_;
  Etcd etcd_ = Etcd::kUp;
  double slowness_ = 1;
  double spike_ = 0;
  double loss_ = 0;
  double duplication_ = 0;
  uint64_t calls_ = 0;
  std::function<int64_t()> bad_moment_;
  static constexpr size_t kRemembered = 30;
  std::deque<std::shared_ptr<const cluster::Event>> told_;  // what the watch may tell again
};

}  // namespace ferrite::simulation
