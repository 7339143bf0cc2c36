#pragma once

// What a node has to be told to be part of a cluster.

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/net/address.h"
#include "server/settings/flag_reader.h"
#include "server/tls/outgoing_tls.h"

namespace ferrite {

struct ClusterSettings {
  std::string name;                         // empty: the node is part of none
  std::vector<std::string> etcd_endpoints;  // HOST:PORT
  OutgoingTls etcd_tls;
  std::string node_id;
  std::string zone;                        // empty: not told
  std::optional<Address> advertise;        // absent: the first address of --listen that can be told
  std::optional<Address> internal_listen;  // absent: where --listen says
  absl::Duration lease_ttl;
};

// The first of `listen` that others can be told: none of a socket's file or of every address.
std::optional<Address> FirstToTell(const std::vector<Address>& listen);

// Reads them from the flags, which have to agree with each other and with --listen.
ClusterSettings ReadClusterSettings(FlagReader* reader, const std::vector<Address>& listen,
                                    std::vector<std::string>* warnings);

}  // namespace ferrite
