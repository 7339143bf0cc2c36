#include "server/settings/cluster_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/settings/settings.h"

namespace ferrite {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

absl::StatusOr<Settings> Load(std::vector<std::string> arguments) {
  const Machine machine = {.memory_bytes = {uint64_t{4} << 30, "a test"}, .cores = {4, "a test"}};
  return LoadSettings(arguments, {}, machine);
}
// Of a node of a cluster.
absl::StatusOr<Settings> LoadMember(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"--cluster-name=prod", "--etcd-endpoints=127.0.0.1:2379"});
  return Load(std::move(arguments));
}
std::string Complaint(const absl::StatusOr<Settings>& settings) {
  return std::string(settings.status().message());
}

TEST(ClusterSettings, WithoutANameThereIsNone) {
  const auto settings = Load({});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->cluster.name, "");
  for (const char* flag : {"--etcd-endpoints=a:1", "--node-id=n", "--advertise=a:1", "--zone=z",
                           "--internal-listen=a:1", "--lease-ttl=5s"}) {
    EXPECT_THAT(Complaint(Load({flag})), HasSubstr("set cluster-name as well")) << flag;
    EXPECT_THAT(Complaint(Load({flag})), HasSubstr(std::string(flag).substr(0, 6))) << flag;
  }
}

TEST(ClusterSettings, HaveDefaultsThatWork) {
  const auto settings = LoadMember({});
  ASSERT_TRUE(settings.ok()) << settings.status();
  const ClusterSettings& cluster = settings->cluster;
  EXPECT_EQ(cluster.name, "prod");
  EXPECT_THAT(cluster.etcd_endpoints, ElementsAre("127.0.0.1:2379"));
  EXPECT_NE(cluster.node_id, "");
  EXPECT_EQ(cluster.zone, "");
  EXPECT_FALSE(cluster.advertise.has_value());
  EXPECT_FALSE(cluster.internal_listen.has_value());
  EXPECT_EQ(cluster.lease_ttl, absl::Seconds(3));
  EXPECT_TRUE(settings->warnings.empty());
  EXPECT_EQ(InForce(*settings).at("node-id"), cluster.node_id);
}

TEST(ClusterSettings, AreRead) {
  const auto settings = LoadMember({"--node-id=n-1", "--zone=west", "--advertise=10.0.0.1:6380",
                                    "--internal-listen=*:6390", "--insecure", "--lease-ttl=10s",
                                    "--etcd-endpoints=e1:2379", "--etcd-endpoints=e2:2379"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  const ClusterSettings& cluster = settings->cluster;
  EXPECT_THAT(cluster.etcd_endpoints, ElementsAre("127.0.0.1:2379", "e1:2379", "e2:2379"));
  EXPECT_EQ(cluster.node_id, "n-1");
  EXPECT_EQ(cluster.zone, "west");
  EXPECT_EQ(cluster.advertise->ToString(), "10.0.0.1:6380");
  EXPECT_EQ(cluster.internal_listen->ToString(), "*:6390");
  EXPECT_EQ(cluster.lease_ttl, absl::Seconds(10));
}

TEST(ClusterSettings, AreRefusedByName) {
  const struct {
    const char* flag;
    const char* complaint;
  } cases[] = {
      {"--cluster-name=a/b", "--cluster-name: the name \"a/b\" is no name"},
      {"--node-id=a b", "--node-id: the name \"a b\" is no name"},
      {"--zone=a/b", "--zone: the name"},
      {"--etcd-endpoints=here", "--etcd-endpoints: \"here\" has no port"},
      {"--advertise=unix:/x", "--advertise: 'unix:/x' is not HOST:PORT"},
      {"--advertise=*:6380", "--advertise: '*:6380' is nothing that others could connect to"},
      {"--advertise=a:0", "--advertise: 'a:0' is nothing that others could connect to"},
      {"--internal-listen=unix:/x", "--internal-listen: 'unix:/x' is not HOST:PORT"},
      {"--internal-listen=127.0.0.1:6380", "is taken by --listen (127.0.0.1:6380)"},
      {"--internal-listen=127.0.0.1:6381", "is taken by --http-listen (127.0.0.1:6381)"},
      {"--lease-ttl=1s", "'1s' is not a whole number of seconds from 2s to 1m"},
      {"--lease-ttl=2500ms", "'2500ms' is not a whole number of seconds"},
      {"--lease-ttl=61s", "'61s' is too long"},
      {"--listen=*:6380", "--advertise: is needed with --cluster-name, as nothing in --listen"},
      {"--listen=unix:/x,0.0.0.0:1", "--advertise: is needed with --cluster-name"},
  };
  for (const auto& each : cases)
    EXPECT_THAT(Complaint(LoadMember({each.flag})), HasSubstr(each.complaint)) << each.flag;
  EXPECT_THAT(Complaint(Load({"--cluster-name=prod"})),
              HasSubstr("--cluster-name: needs etcd-endpoints"));
}

TEST(ClusterSettings, AnAddressThatLeadsNowhereIsWarnedOf) {
  EXPECT_THAT(LoadMember({"--etcd-endpoints=10.0.0.9:2379"})->warnings,
              ElementsAre(AllOf(HasSubstr("127.0.0.1:6380"), HasSubstr("set advertise"))));
  EXPECT_TRUE(LoadMember({"--etcd-endpoints=10.0.0.9:2379", "--advertise=10.0.0.1:6380"})
                  ->warnings.empty());
}

}  // namespace
}  // namespace ferrite
