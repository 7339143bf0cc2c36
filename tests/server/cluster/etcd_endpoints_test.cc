#include "server/cluster/etcd_endpoints.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ferrite::cluster {
namespace {

using ::testing::HasSubstr;

TEST(EtcdEndpoints, AreReadAndRefused) {
  const auto good = ParseEtcdEndpoints("10.0.0.1:2379,http://e1.example:2379/,[::1]:2379");
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_THAT(good->addresses,
              testing::ElementsAre("10.0.0.1:2379", "e1.example:2379", "[::1]:2379"));
  EXPECT_FALSE(good->over_tls);
  const auto over_tls = ParseEtcdEndpoints("https://a:1,https://b:2");
  ASSERT_TRUE(over_tls.ok()) << over_tls.status();
  EXPECT_THAT(over_tls->addresses, testing::ElementsAre("a:1", "b:2"));
  EXPECT_TRUE(over_tls->over_tls);
  for (const char* bad : {"", "host", ":1", "host:0", "host:65536", "host:x", "a:1,", "a:1,,b:1",
                          "https://a:1,b:1", "ftp://a:1", "a b:1", "a/b:1", "::1:2379", "[]:1"}) {
    EXPECT_FALSE(ParseEtcdEndpoints(bad).ok()) << bad;
  }
  std::string many = "a:1";
  for (int i = 0; i < 16; ++i) many += ",a:1";
  EXPECT_THAT(ParseEtcdEndpoints(many).status().message(), HasSubstr("at most 16"));
}

}  // namespace
}  // namespace ferrite::cluster
