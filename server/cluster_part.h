#pragma once

// This node's part in a cluster, put together of settings, store and driver.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/cluster/driver/driver.h"
#include "server/net/address.h"
#include "server/settings/settings.h"
#include "server/step_barrier.h"
#include "store/store.h"

namespace ferrite {

// Null if the settings name no cluster. `store` must outlive the driver; `set_ready` is called by
// its thread whenever the node begins or ceases to take part.
std::unique_ptr<cluster::Driver> MakeDriver(const Settings& settings,
                                            const DialCredentials& peer_credentials, Store* store,
                                            StepBarrier::PostToAll post_to_all,
                                            std::function<void(bool ready)> set_ready);

// All addresses that gRPC is to be served at: those for clients, and behind them the one for nodes,
// if it has one of its own.
std::vector<Address> AddressesToServe(const Settings& settings);

// What others are told of this node, given the addresses that were bound for AddressesToServe(),
// all of them.
struct ToldAddresses {
  std::string clients;
  std::string nodes;
};
ToldAddresses AddressesToTell(const Settings& settings, const std::vector<Address>& bound);

}  // namespace ferrite
