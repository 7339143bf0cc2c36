#include "server/settings/tls_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/settings/memory_plan.h"
#include "server/settings/settings.h"

namespace ferrite {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

absl::StatusOr<Settings> Load(const std::vector<std::string>& arguments,
                              uint64_t memory_bytes = uint64_t{4} << 30) {
  return LoadSettings(arguments, {},
                      {.memory_bytes = {memory_bytes, "a test"}, .cores = {4, "a test"}});
}
std::string Complaint(const std::vector<std::string>& arguments) {
  return std::string(Load(arguments).status().message());
}

TEST(TlsSettings, WithoutACertificateThereIsNoTls) {
  const auto settings = Load({});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_FALSE(settings->tls.on());
  for (const std::string flag : {"--tls-key", "--tls-client-ca", "--max-handshakes"}) {
    EXPECT_THAT(Complaint({flag + "=7"}), AllOf(StartsWith(flag), HasSubstr("set tls-cert")));
  }
}

TEST(TlsSettings, AreRead) {
  const auto settings = Load({"--tls-cert=crt", "--tls-key=key", "--tls-client-ca=ca",
                              "--tls-client-auth=optional", "--max-handshakes=9"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_TRUE(settings->tls.on());
  EXPECT_EQ(settings->tls.files.certificate, "crt");
  EXPECT_EQ(settings->tls.files.key, "key");
  EXPECT_EQ(settings->tls.files.client_ca, "ca");
  EXPECT_EQ(settings->tls.clients, ClientCertificates::kOptional);
  EXPECT_EQ(settings->tls.most_handshakes, 9u);
}

TEST(TlsSettings, GoTogether) {
  EXPECT_THAT(Complaint({"--tls-cert=crt"}),
              AllOf(StartsWith("--tls-cert"), HasSubstr("needs tls-key")));
  EXPECT_THAT(Complaint({"--tls-cert=crt", "--tls-key=key", "--tls-client-auth=optional"}),
              AllOf(StartsWith("--tls-client-auth"), HasSubstr("set tls-client-ca")));
  EXPECT_THAT(
      Complaint({"--tls-cert=c", "--tls-key=k", "--tls-client-ca=a", "--tls-client-auth=x"}),
      HasSubstr("'x' is not one of require, optional"));
}

TEST(TlsSettings, ConnectionsOverTlsTakeMore) {
  const auto plain = Load({}, uint64_t{1} << 30);
  const auto over_tls = Load({"--tls-cert=crt", "--tls-key=key"}, uint64_t{1} << 30);
  ASSERT_TRUE(plain.ok() && over_tls.ok());
  EXPECT_LT(over_tls->max_connections, plain->max_connections / 5);
  EXPECT_EQ(over_tls->tls.most_handshakes, over_tls->max_connections / 4);
  EXPECT_EQ(InForce(*over_tls).at("max-handshakes"), std::to_string(over_tls->max_connections / 4));
  EXPECT_LE(Sum(MemoryPlan(*over_tls)), uint64_t{1} << 30);
  EXPECT_TRUE(over_tls->warnings.empty());
}

}  // namespace
}  // namespace ferrite
