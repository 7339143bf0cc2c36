#pragma once

// A cluster in one thread, with an etcd and a network of its own, in which everything goes wrong
// that its seed says. The same seed gives the same world.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/cluster/keys.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/history.h"
#include "tests/simulation/network.h"
#include "tests/simulation/random.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/shared_maps.h"
#include "tests/simulation/sim_etcd.h"
#include "tests/simulation/sim_host.h"
#include "tests/simulation/sim_process.h"

namespace ferrite::simulation {

class World {
 public:
  World(const Scenario& scenario, History* history);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Lets it go on until this time, or until something does not hold; false then.
  bool RunUntil(int64_t end_ns);

  // ---- What its parts use.
  const Scenario& scenario() const { return scenario_; }
  History& history() { return history_; }
  Random& random() { return random_; }
  EventQueue& queue() { return queue_; }
  SimEtcd& etcd() { return etcd_; }
  Network& network() { return network_; }
  Checker& checker() { return checker_; }
  SharedMaps& maps() { return maps_; }
  const cluster::Keys& keys() const { return keys_; }
  int64_t now_ns() const { return queue_.now_ns(); }
  std::vector<std::unique_ptr<SimHost>>& hosts() { return hosts_; }

  // ---- What happens to it.
  SimHost* AddHost();
  // A process on it, unless there is one.
  void Start(SimHost* host);
  void End(SimHost* host);
  // A second process on the machine; `host->process` stays.
  void StartSecond(SimHost* host);
  void EndSeconds();
  // An operator writes the map; who checks maps does not look.
  void WriteMap(const std::string& value);

  // Until then things may be out of order; afterwards, when processes have had their time, not.
  void ExpectTroubleUntil(int64_t time_ns, int64_t recovery_ns = 0);

  // When all slots have to be served again.
  int64_t whole_from_ns() const { return whole_from_ns_; }

  // This process may serve more than before: no other may serve any of it.
  void CheckServing(const SimProcess& changed);
  // All slots are served, unless there was trouble lately.
  void CheckWhole();
  // Those who live have shares that differ by one slot at most.
  void CheckEven();
  std::vector<Checker::Server> Serving() const;
  uint64_t steps() const { return steps_; }

 private:
  void Tend();
  void CallSomething();

  const Scenario scenario_;
  History& history_;
  const cluster::Keys keys_{"sim"};
  Random random_;
  EventQueue queue_;
  SimEtcd etcd_;
  Network network_{this};
  Checker checker_;
  SharedMaps maps_;
  std::vector<std::unique_ptr<SimHost>> hosts_;
  std::vector<std::shared_ptr<SimProcess>> seconds_;
  int names_ = 0;
  bool operator_writes_ = false;
  int64_t whole_from_ns_ = 0;
  uint64_t steps_ = 0;
};

// What became of a world.
struct Result {
  std::optional<std::string> violation;
  Broken kind = Broken::kMap;  // of the violation
  int64_t end_ns = 0;          // of the world's time
  uint64_t steps = 0;
  uint64_t writes = 0;
  uint64_t reads = 0;
  uint64_t calls = 0;  // of etcd
};

// Runs the world of this scenario: first with its troubles, then in peace.
Result RunScenario(const Scenario& scenario, History* history);

// What failed, with the last lines of the world's history and how to repeat it. Runs the scenario
// once more, and says so if that ends otherwise.
std::string Explain(const Scenario& scenario, const Result& outcome, size_t lines);

}  // namespace ferrite::simulation
