// `ferrite config` against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

using ConfigTest = CliTest;

TEST_F(ConfigTest, GetsOneSettingOrAll) {
  const Result one = Ferrite({"config", "get", "max-value-bytes"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.out, "max-value-bytes  1MiB (1048576)  default\n");
  const Result all = Ferrite({"config"});
  EXPECT_THAT(all.out, HasSubstr("max-memory"));
  EXPECT_THAT(all.out, HasSubstr("log-level                warning"));
  EXPECT_EQ(Ferrite({"config", "get"}).out, all.out);
  const nlohmann::json json = Ferrite({"config", "get", "log-level", "--json"}).Json();
  EXPECT_EQ(json["value"], "warning");
  EXPECT_EQ(json["source"], "flag");
  EXPECT_EQ(json["changeable"], true);
  EXPECT_GT(Ferrite({"config", "--json"}).Json().size(), 20u);
  const nlohmann::json some = Ferrite({"CONFIG", "GET", "max-c*", "--json"}).Json();
  ASSERT_EQ(some.size(), 3u);
  EXPECT_EQ(some[0]["name"], "max-connections");
}

TEST_F(ConfigTest, SetsWhatCanChange) {
  const Result set = Ferrite({"config", "set", "slowlog-threshold", "250us"});
  EXPECT_EQ(set.exit_code, 0) << set.err;
  EXPECT_EQ(set.out, "slowlog-threshold is 250us now, and was 10ms\n");
  EXPECT_THAT(Ferrite({"config", "get", "slowlog-threshold"}).out, HasSubstr("config set"));
  EXPECT_EQ(Ferrite({"slowlog", "--json"}).Numbers()["threshold_us"], 250);
  const Result memory = Ferrite({"config", "set", "max-memory", "256Mi", "--json"});
  EXPECT_EQ(memory.Json()["in_force"], "268435456") << memory.err;
  EXPECT_THAT(Ferrite({"stats"}).out, testing::AnyOf(HasSubstr("268435456"), HasSubstr("256")));
}

TEST_F(ConfigTest, SaysWhatCannotBe) {
  const Result fixed = Ferrite({"config", "set", "threads", "3"});
  EXPECT_EQ(fixed.exit_code, 2);
  EXPECT_THAT(fixed.err, HasSubstr("threads needs a restart"));
  EXPECT_THAT(Ferrite({"config", "set", "max-memory", "much"}).err,
              HasSubstr("'much' is not an amount of memory"));
  EXPECT_THAT(Ferrite({"config", "get", "max-memroy"}).err, HasSubstr("did you mean max-memory?"));
  EXPECT_THAT(Ferrite({"config", "get", "max-memory", "1g"}).err,
              HasSubstr("write ferrite config set max-memory 1g"));
  EXPECT_THAT(Ferrite({"config", "set"}).err, HasSubstr("config: NAME is required"));
  EXPECT_THAT(Ferrite({"config", "set", "max-memory"}).err, HasSubstr("config: VALUE is required"));
  EXPECT_THAT(Ferrite({"config", "get", "min-*"}).err, HasSubstr("no setting matches 'min-*'"));
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"config", "set"},
                                             {"config", "set", "max-memory"},
                                             {"config", "put", "x", "y"},
                                             {"config", "get", "max-memory", "1g"}}) {
    EXPECT_EQ(Ferrite(wrong).exit_code, 2) << wrong.back();
  }
}

TEST_F(ConfigTest, InfoListsSettingsInColumns) {
  const std::string info = Ferrite({"info"}).out;
  EXPECT_THAT(info, HasSubstr("  max-inflight-operations  65536\n"));
  EXPECT_THAT(info, HasSubstr("  log-level                warning\n"));
}

TEST_F(ConfigTest, InfoWarnsOfWhatIsHardlyMeant) {
  const ServerProcess server("127.0.0.1:0", {"--max-memory=8TiB"});
  const std::vector<std::string> info = {FERRITE_CLI_PATH, "--server", server.address(), "info"};
  EXPECT_THAT(RunCommand(info).out, HasSubstr("warning: the settings allow 8."));
  std::vector<std::string> json = info;
  json.push_back("--json");
  EXPECT_EQ(RunCommand(json).Json()["warnings"].size(), 1u);
  EXPECT_GT(RunCommand(json).Numbers()["available_memory_bytes"], 0);
}

}  // namespace
}  // namespace ferrite
