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

// What others are told of this node, given the addresses for clients that were bound, and behind
// them the one for nodes, if it has one of its own.
struct ToldAddresses {
  std::string clients;
  std::string nodes;
};
ToldAddresses AddressesToTell(const Settings& settings, const std::vector<Address>& bound);

}  // namespace ferrite
