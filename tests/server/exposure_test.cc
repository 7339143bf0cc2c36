#include "server/settings/exposure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Environment = std::map<std::string, std::string>;

absl::StatusOr<Settings> Load(const std::vector<std::string>& arguments,
                              const Environment& environment = {}) {
  const Machine machine = {.memory_bytes = {uint64_t{4} << 30, "a test"}, .cores = {4, "a test"}};
  return LoadSettings(arguments, environment, machine);
}
std::string Complaint(const std::vector<std::string>& arguments,
                      const Environment& environment = {}) {
  return std::string(Load(arguments, environment).status().message());
}

const std::vector<std::string> kTls = {"--tls-cert=c", "--tls-key=k"};
std::vector<std::string> With(std::vector<std::string> some, const std::vector<std::string>& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

TEST(Exposure, WhatOnlyThisMachineReachesNeedsNothing) {
  for (const char* local : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1",
                            "localhost:1", "unix:/run/f", "unix-abstract:f"}) {
    const auto settings = Load({absl::StrCat("--listen=", local)});
    ASSERT_TRUE(settings.ok()) << settings.status();
    EXPECT_THAT(settings->exposed, IsEmpty()) << local;
    EXPECT_THAT(settings->warnings, IsEmpty()) << local;
    EXPECT_FALSE(IsInsecure(*settings)) << local;
  }
}

TEST(Exposure, WhatOthersReachIsRefusedWithTheWaysOut) {
  for (const char* exposed : {"*:1", ":1", "0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1",
                              "[::ffff:192.0.2.1]:1", "127.0.0.1:1,*:2"}) {
    EXPECT_THAT(Complaint({absl::StrCat("--listen=", exposed)}),
                AllOf(HasSubstr("--listen="), HasSubstr("no TLS (--tls-cert, --tls-key)"),
                      HasSubstr("no policy (--policy)"), HasSubstr("docs/security.md"),
                      HasSubstr("127.0.0.1:6380"), HasSubstr("--insecure (FERRITE_INSECURE=yes)")))
        << exposed;
  }
}

TEST(Exposure, EveryListenerCountsAndIsNamedAsItWasSpelled) {
  EXPECT_THAT(Complaint({"--http-listen=*:1"}), HasSubstr("--http-listen=*:1: other machines"));
  EXPECT_THAT(Complaint({"--listen=*:2"}, {{"FERRITE_HTTP_LISTEN", "*:1"}}),
              HasSubstr("--listen=*:2, FERRITE_HTTP_LISTEN=*:1: other machines"));
  EXPECT_THAT(Complaint({"--cluster-name=c", "--etcd-endpoints=127.0.0.1:1",
                         "--internal-listen=0.0.0.0:7"}),
              HasSubstr("--internal-listen=0.0.0.0:7: other machines"));
}

TEST(Exposure, ANameOfThisMachineIsLookedUp) {
  EXPECT_THAT(Complaint({"--listen=no-such-host.invalid:1"}), HasSubstr("other machines can reach"))
      << "it may have an address when the server binds it";
}

TEST(Exposure, TlsAndAPolicyAreBothNeeded) {
  EXPECT_THAT(Complaint(With({"--listen=*:1"}, kTls)),
              AllOf(HasSubstr("there is no policy (--policy)."), Not(HasSubstr("no TLS")),
                    HasSubstr("everybody who may connect")));
  EXPECT_THAT(Complaint({"--listen=*:1", "--policy=p"}),
              AllOf(HasSubstr("there is no TLS (--tls-cert, --tls-key)."),
                    Not(HasSubstr("no policy")), HasSubstr("tokens included")));
  const auto both = Load(With({"--listen=*:1", "--policy=p"}, kTls));
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(both->warnings, IsEmpty());
  EXPECT_FALSE(IsInsecure(*both));
}

TEST(Exposure, WhoSaysInsecureIsServedAndWarned) {
  const std::vector<std::pair<std::vector<std::string>, Environment>> ways = {
      {{"--insecure", "--listen=*:1"}, {}},
      {{"--insecure=yes", "--listen=*:1"}, {}},
      {{"--listen=*:1", "--insecure"}, {}},
      {{"--listen=*:1"}, {{"FERRITE_INSECURE", "yes"}}}};
  for (const auto& [arguments, environment] : ways) {
    const auto settings = Load(arguments, environment);
    ASSERT_TRUE(settings.ok()) << settings.status();
    EXPECT_TRUE(IsInsecure(*settings));
    EXPECT_THAT(settings->warnings,
                ElementsAre(AllOf(HasSubstr("insecure: "), HasSubstr("--listen=*:1"),
                                  HasSubstr("everybody who reaches it may read and change"))));
  }
  EXPECT_FALSE(IsInsecure(*Load({"--insecure"}))) << "nobody else reaches it";
}

TEST(Exposure, InsecureIsYesOrNo) {
  EXPECT_THAT(Complaint({"--insecure=maybe"}), HasSubstr("--insecure: 'maybe' is not one of"));
  EXPECT_THAT(Complaint({}, {{"FERRITE_INSECURE", ""}}), HasSubstr("FERRITE_INSECURE: ''"));
  EXPECT_THAT(Complaint({"--insecure=no", "--listen=*:1"}), HasSubstr("other machines can reach"));
}

}  // namespace
}  // namespace ferrite
