#include "server/settings/cluster_settings.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/cluster/etcd_endpoints.h"
#include "server/cluster/keys.h"
#include "server/cluster/node_record.h"

namespace ferrite {
namespace {

constexpr const char* kNeedName[] = {"etcd-ca",         "etcd-cert", "etcd-key", "etcd-endpoints",
                                     "node-id",         "advertise", "zone",     "internal-listen",
                                     "peer-token-file", "lease-ttl"};

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

bool IsLoopback(const Address& address) {
  return address.host.starts_with("127.") || address.host == "::1" || address.host == "localhost";
}

std::string ReadName(FlagReader* reader, std::string_view flag, const std::string& name) {
  const absl::Status status = cluster::CheckName("the name", name);
  reader->Require(status.ok(), flag, std::string(status.message()));
  return name;
}

Address ReadTcpAddress(FlagReader* reader, std::string_view flag) {
  Address address = reader->Value(flag, ParseAddress(reader->Text(flag)));
  reader->Require(address.kind == Address::Kind::kTcp, flag,
                  absl::StrCat("'", reader->Text(flag), "' is not HOST:PORT"));
  reader->Require(address.host.size() <= cluster::kMaxAddressBytes / 2, flag,
                  absl::StrCat("the host has ", address.host.size(), " bytes; it may have ",
                               cluster::kMaxAddressBytes / 2));
  return address;
}

void ReadEtcd(FlagReader* reader, ClusterSettings* settings) {
  const cluster::EtcdEndpoints endpoints =
      reader->Value("etcd-endpoints", cluster::ParseEtcdEndpoints(reader->Text("etcd-endpoints")));
  settings->etcd_endpoints = endpoints.addresses;
  settings->etcd_tls = {.enabled = endpoints.over_tls,
                        .ca_file = reader->Text("etcd-ca"),
                        .certificate_file = reader->Text("etcd-cert"),
                        .key_file = reader->Text("etcd-key")};
  for (const char* flag : {"etcd-ca", "etcd-cert", "etcd-key"})
    settings->etcd_tls.enabled = settings->etcd_tls.enabled || !reader->Text(flag).empty();
  for (const auto& [flag, other] :
       {std::pair{"etcd-cert", "etcd-key"}, std::pair{"etcd-key", "etcd-cert"}}) {
    reader->Require(reader->Text(flag).empty() || !reader->Text(other).empty(), flag,
                    absl::StrCat("needs ", other, " as well"));
  }
}

void ReadAdvertise(FlagReader* reader, const std::vector<Address>& listen,
                   ClusterSettings* settings, std::vector<std::string>* warnings) {
  if (!reader->Text("advertise").empty()) {
    settings->advertise = ReadTcpAddress(reader, "advertise");
    reader->Require(!settings->advertise->IsEveryOfAFamily() && settings->advertise->port != 0,
                    "advertise",
                    absl::StrCat("'", reader->Text("advertise"),
                                 "' is nothing that others could connect to; give HOST:PORT"));
    return;
  }
  const std::optional<Address> first = FirstToTell(listen);
  reader->Require(
      first.has_value(), "advertise",
      absl::StrCat("is needed with ", reader->Spelled("cluster-name"), ", as nothing in ",
                   reader->Spelled("listen"), " (", ToString(listen), ") can be told to others"));
  const auto is_local = [](const std::string& endpoint) {
    const absl::StatusOr<Address> address = ParseAddress(endpoint);
    return address.ok() && IsLoopback(*address);
  };
  if (first.has_value() && IsLoopback(*first) &&
      !std::all_of(settings->etcd_endpoints.begin(), settings->etcd_endpoints.end(), is_local)) {
    warnings->push_back(absl::StrCat("other nodes are told to reach this one at ",
                                     first->ToString(),
                                     ", which leads to themselves: set advertise"));
  }
}

}  // namespace

std::optional<Address> FirstToTell(const std::vector<Address>& listen) {
  for (const Address& address : listen)
    if (address.kind == Address::Kind::kTcp && !address.IsEveryOfAFamily()) return address;
  return std::nullopt;
}

ClusterSettings ReadClusterSettings(FlagReader* reader, const std::vector<Address>& listen,
                                    std::vector<std::string>* warnings) {
  ClusterSettings settings;
  if (reader->Text("cluster-name").empty()) {
    for (const char* flag : kNeedName)
      reader->Require(!reader->IsSet(flag) || reader->Text(flag).empty(), flag,
                      "is for a node of a cluster: set cluster-name as well");
    return settings;
  }
  settings.name = ReadName(reader, "cluster-name", reader->Text("cluster-name"));
  reader->Require(!reader->Text("etcd-endpoints").empty(), "cluster-name",
                  "needs etcd-endpoints: where the etcd of the cluster is");
  if (!reader->Text("etcd-endpoints").empty()) ReadEtcd(reader, &settings);
  const std::string& id = reader->Text("node-id");
  settings.node_id = ReadName(reader, "node-id", id.empty() ? HostName() : id);
  settings.zone = reader->Text("zone");
  if (!settings.zone.empty()) ReadName(reader, "zone", settings.zone);
  ReadAdvertise(reader, listen, &settings, warnings);
  if (!reader->Text("internal-listen").empty())
    settings.internal_listen = ReadTcpAddress(reader, "internal-listen");
  constexpr auto kLeast = absl::Milliseconds(cluster::kMinServingTtlMs);
  constexpr auto kMost = absl::Milliseconds(cluster::kMaxServingTtlMs);
  settings.lease_ttl = reader->Duration("lease-ttl", absl::ZeroDuration(), kMost);
  reader->Require(
      settings.lease_ttl >= kLeast && settings.lease_ttl % absl::Seconds(1) == absl::ZeroDuration(),
      "lease-ttl",
      absl::StrCat("'", reader->Text("lease-ttl"), "' is not a whole number of seconds from ",
                   absl::FormatDuration(kLeast), " to ", absl::FormatDuration(kMost)));
  return settings;
}

}  // namespace ferrite
