#pragma once

// What kind of world a seed stands for. Each world has some kinds of trouble only: what they do
// together would hide what each does alone.

#include <cstdint>
#include <string>
#include <vector>

#include "server/cluster/core/faults.h"

namespace ferrite::simulation {

inline constexpr int64_t kMs = 1'000'000;
inline constexpr int64_t kSecond = 1'000'000'000;

enum class Trouble {
  kPause,           // a process stands still, and goes on
  kCrash,           // and is started again
  kLoss,            // of a machine; perhaps another comes
  kJoin,            // of a machine
  kDrain,           // a node leaves in good order, and comes back
  kLeave,           // a process ends without draining
  kCut,             // a machine cannot reach etcd, or not hear it
  kOutage,          // of etcd
  kSlowness,        // of the network
  kWallStep,        // of a machine's wall clock
  kKeyDeleted,      // a node key, by an operator
  kKeyFlaps,        // deleted twice, the second time of a node that cannot hear of it
  kKeyOverwritten,  // likewise
  kLeaseLost,       // etcd forgets a lease before its time
  kControllerGone,  // the controller's key is deleted
  kCeilingDeleted,
  kMapDeleted,
  kRestored,   // etcd is put back to an earlier state
  kGarbage,    // etcd's answers to a machine are nonsense
  kWatch,      // tells old things, or nothing
  kBadMoment,  // a change of the map is late, and machines are connected again meanwhile
  kRebalance,  // an operator asks for it
  kSameId,     // a second process with the id of another
  kMapTooNew,  // a newer version has written the map, and takes it back
  kCount,
};

struct Scenario {
  uint64_t seed = 0;
  uint32_t ttl_ms = 3000;
  int hosts = 3;
  double drift = 0;            // of steady clocks, at most
  int64_t wall_offset_us = 0;  // likewise
  int64_t delay_ns = 0;        // of messages, on average
  double spike = 0;            // how often a message takes longer, and up to how long
  int64_t spike_ns = 0;
  double loss = 0;
  double duplication = 0;
  int64_t trouble_every_ns = 0;  // on average
  std::vector<Trouble> troubles;
  int64_t trouble_ns = 0;     // how long there is trouble
  int64_t calm_ns = 0;        // and then none
  int64_t call_every_ns = 0;  // of clients; 0: never
  int64_t most_away_ns = 0;   // of a node that has left before it is started again
  cluster::Faults faults;
  // Whether slots that are not served for long are a failure: with faults only the rest is of
  // interest.
  bool wants_availability = true;

  int64_t ttl_ns() const { return ttl_ms * kMs; }
};

Scenario ScenarioOf(uint64_t seed);

}  // namespace ferrite::simulation
