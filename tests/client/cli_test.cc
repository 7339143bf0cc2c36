// The `ferrite` command against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/bytes.h"
#include "tests/client/cli_fixture.h"

namespace ferrite {

ServerProcess* CliTest::server_ = nullptr;

namespace {

using namespace std::string_literals;
using testing::HasSubstr;

TEST_F(CliTest, SetsAndGets) {
  const Result set = Ferrite({"set", "k", "v"});
  EXPECT_EQ(set.exit_code, 0) << set.err;
  EXPECT_EQ(set.out, "stored\n");
  const Result get = Ferrite({"get", "k"});
  EXPECT_EQ(get.exit_code, 0);
  EXPECT_EQ(get.out, "v");  // no line feed: this is not a terminal
  EXPECT_EQ(get.err, "");
}

TEST_F(CliTest, AMissIsOne) {
  const Result get = Ferrite({"get", "nowhere"});
  EXPECT_EQ(get.exit_code, 1);
  EXPECT_EQ(get.out, "");
  EXPECT_EQ(get.err, "nowhere is not there\n");
  EXPECT_EQ(Ferrite({"get", "nowhere", "--json"}).Json(),
            (nlohmann::json{{"key", "nowhere"}, {"found", false}}));
  EXPECT_EQ(Ferrite({"ttl", "nowhere"}).exit_code, 1);
  EXPECT_EQ(Ferrite({"touch", "nowhere", "--persist"}).exit_code, 1);
  EXPECT_EQ(Ferrite({"exists", "nowhere"}).exit_code, 1);
  EXPECT_EQ(Ferrite({"del", "nowhere"}).exit_code, 1);
}

TEST_F(CliTest, EveryByteSurvivesTheStandardInput) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  ASSERT_EQ(Ferrite({"set", "binary", "-"}, all).exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "binary"}).out, all);
  const nlohmann::json json = Ferrite({"get", "binary", "--json"}).Json();
  EXPECT_EQ(*cli::DecodeArgument(json["value"]["base64"].get<std::string>(), true), all);
  ASSERT_EQ(Ferrite({"set", "empty", "-"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "empty", "--json"}).Json()["value"], "");
}

TEST_F(CliTest, Base64NamesAnyKey) {
  // The key is the two bytes 00 FF, the value "hi".
  ASSERT_EQ(Ferrite({"--base64", "set", "AP8=", "aGk="}).exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "--base64", "AP8="}).out, "hi");
  const nlohmann::json json = Ferrite({"get", "--json", "--base64", "AP8="}).Json();
  EXPECT_EQ(json["key"], (nlohmann::json{{"base64", "AP8="}}));
  EXPECT_EQ(Ferrite({"scan"}).out, "\\x00\\xff\n");
  const Result bad = Ferrite({"--base64", "get", "?"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("not base64"));
}

TEST_F(CliTest, ArgumentsThatCli11WouldTakeApartStayWhole) {
  for (const std::string& value :
       {"[1,2]"s, "[]"s, "{}"s, "{\"a\":1}"s, "%%"s, "a,b"s, "get"s, "\"x\""s, ""s, "-5"s}) {
    ASSERT_EQ(Ferrite({"mset", "one", value, "two", value}).exit_code, 0) << value;
    EXPECT_EQ(Ferrite({"get", "one"}).out, value);
    EXPECT_EQ(Ferrite({"get", "two"}).out, value);
    ASSERT_EQ(Ferrite({"set", "k", value}).exit_code, 0) << value;
    EXPECT_EQ(Ferrite({"get", "k"}).out, value);
    if (value.empty()) continue;
    ASSERT_EQ(Ferrite({"set", value, "v"}).exit_code, 0) << value;
    EXPECT_EQ(Ferrite({"mget", value}).exit_code, 0) << value;
    EXPECT_EQ(Ferrite({"mget", value, value, "--json"}).Json()["results"].size(), 2u) << value;
  }
  ASSERT_EQ(Ferrite({"set", "--", "--key", "--value"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "--", "--key"}).out, "--value");
}

TEST_F(CliTest, SetKeepsItsConditions) {
  EXPECT_EQ(Ferrite({"set", "k", "1", "--if-present"}).exit_code, 1);
  EXPECT_EQ(Ferrite({"set", "k", "1", "--if-absent"}).exit_code, 0);
  const Result again = Ferrite({"set", "k", "2", "--if-absent"});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.out, "");
  EXPECT_THAT(again.err, HasSubstr("not stored"));
  const std::string version = Ferrite({"get", "k", "--json"}).Json()["version"];
  EXPECT_EQ(Ferrite({"set", "k", "3", "--if-version", "1"}).exit_code, 1);
  EXPECT_EQ(Ferrite({"set", "k", "3", "--if-version", version}).exit_code, 0);
  const Result previous = Ferrite({"set", "k", "4", "--return-previous"});
  EXPECT_EQ(previous.exit_code, 0);
  EXPECT_EQ(previous.out, "3");
  const nlohmann::json json = Ferrite({"set", "k", "5", "--return-previous", "--json"}).Json();
  EXPECT_EQ(json["previous"]["value"], "4");
  EXPECT_EQ(json["stored"], true);
  EXPECT_EQ(Ferrite({"set", "new", "1", "--return-previous", "--json"}).Json()["previous"],
            nullptr);
  EXPECT_EQ(Ferrite({"set", "k", "1", "--if-absent", "--if-present"}).exit_code, 2);
}

TEST_F(CliTest, TimesToLiveAreSetKeptAndTold) {
  ASSERT_EQ(Ferrite({"set", "k", "v", "--ttl", "2h"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"ttl", "k"}).out.substr(0, 3), "1h5");
  ASSERT_EQ(Ferrite({"set", "k", "w", "--keep-ttl"}).exit_code, 0);
  EXPECT_GT(Ferrite({"get", "k", "--json"}).Numbers()["ttl_ms"].get<int64_t>(), 7'000'000);
  ASSERT_EQ(Ferrite({"touch", "k", "--ttl", "7d"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"ttl", "k"}).out.substr(0, 4), "6d23");
  EXPECT_EQ(Ferrite({"touch", "k", "--persist"}).out, "never\n");
  EXPECT_EQ(Ferrite({"ttl", "k", "--json"}).Json()["ttl_ms"], nullptr);
  for (const char* ttl : {"0s", "-5s", "40000d"}) {
    const Result refused = Ferrite({"set", "k", "x", "--ttl", ttl});
    EXPECT_EQ(refused.exit_code, 2) << ttl;
    EXPECT_FALSE(refused.err.empty());
  }
  EXPECT_EQ(Ferrite({"set", "k", "x", "--ttl", "soon"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"touch", "k"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"get", "k"}).out, "w");
}

TEST_F(CliTest, IncrCountsWithinItsBounds) {
  EXPECT_EQ(Ferrite({"incr", "n"}).out, "1\n");
  EXPECT_EQ(Ferrite({"incr", "n", "--by", "-11"}).out, "-10\n");
  EXPECT_EQ(Ferrite({"incr", "new", "--initial", "100", "--by", "5"}).out, "105\n");
  EXPECT_EQ(Ferrite({"incr", "n", "--by", "100", "--max", "50", "--saturate", "--json"})
                .Json()["saturated"],
            true);
  EXPECT_EQ(Ferrite({"get", "n"}).out, "50");
  const Result beyond = Ferrite({"incr", "n", "--max", "50"});
  EXPECT_EQ(beyond.exit_code, 2);
  EXPECT_THAT(beyond.err, HasSubstr("ferrite: "));
  EXPECT_EQ(Ferrite({"incr", "n", "--min", "5", "--max", "1"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"incr", "edge", "--by", "9223372036854775807"}).out, "9223372036854775807\n");
  EXPECT_EQ(Ferrite({"incr", "edge"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"incr", "edge", "--by", "9223372036854775808"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"get", "edge"}).out, "9223372036854775807");
  ASSERT_EQ(Ferrite({"set", "text", "ten"}).exit_code, 0);
  const Result text = Ferrite({"incr", "text", "--json"});
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_EQ(nlohmann::json::parse(text.err)["error"]["reason"], "NOT_A_COUNTER");
  EXPECT_EQ(Ferrite({"incr", "window", "--initial-ttl", "1h", "--json"}).Json()["created"], true);
  EXPECT_THAT(Ferrite({"ttl", "window"}).out, HasSubstr("59m"));
}

TEST_F(CliTest, ManyKeysAtOnce) {
  EXPECT_EQ(Ferrite({"mset", "a", "1", "b", "2", "--ttl", "1h"}).out, "stored 2 of 2\n");
  const Result some = Ferrite({"mget", "b", "missing", "a"});
  EXPECT_EQ(some.exit_code, 1);
  EXPECT_EQ(some.out, "b: 2\na: 1\n");
  const nlohmann::json json = Ferrite({"mget", "b", "missing", "a", "--json"}).Json()["results"];
  EXPECT_EQ(json[0]["value"], "2");
  EXPECT_EQ(json[1]["found"], false);
  EXPECT_EQ(json[2]["key"], "a");
  EXPECT_EQ(Ferrite({"mget", "a", "b"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"exists", "a", "missing"}).out, "a: yes\nmissing: no\n");
  EXPECT_EQ(Ferrite({"exists", "a", "b", "--json"}).Json()["results"][1]["exists"], true);
  const Result odd = Ferrite({"mset", "a", "1", "b"});
  EXPECT_EQ(odd.exit_code, 2);
  EXPECT_THAT(odd.err, HasSubstr("has no value"));
  EXPECT_EQ(Ferrite({"del", "a", "missing", "b"}).out, "deleted 2 of 3\n");
}

TEST_F(CliTest, DeletesOnlyTheVersionThatWasNamed) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  const std::string version = Ferrite({"get", "k", "--json"}).Json()["version"];
  const Result other = Ferrite({"del", "k", "--if-version", "1"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr(version));
  EXPECT_EQ(Ferrite({"del", "k", "--if-version", version}).exit_code, 0);
  EXPECT_EQ(Ferrite({"del", "a", "b", "--if-version", "1"}).exit_code, 2);
}

TEST_F(CliTest, ScansByPrefix) {
  ASSERT_EQ(Ferrite({"mset", "a:1", "x", "a:2", "y\n", "b:1", "z"}).exit_code, 0);
  const Result scan = Ferrite({"scan", "--prefix", "a:", "--values"});
  EXPECT_EQ(scan.exit_code, 0);
  EXPECT_TRUE(scan.out == "a:1: x\na:2: y\\n\n" || scan.out == "a:2: y\\n\na:1: x\n") << scan.out;
  const Result one = Ferrite({"scan", "--limit", "1", "--json"});
  EXPECT_TRUE(one.Json().contains("key"));
  EXPECT_FALSE(one.Json().contains("value"));
  EXPECT_EQ(Ferrite({"scan", "--prefix", "c:"}).out, "");
  EXPECT_EQ(Ferrite({"scan", "--limit", "-1"}).exit_code, 2);
}

TEST_F(CliTest, FlushAsks) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  const Result refused = Ferrite({"flush"}, "yes\n");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_EQ(Ferrite({"get", "k"}).out, "v");
  EXPECT_EQ(Ferrite({"flush", "--yes"}).out, "deleted 1 entry\n");
  EXPECT_EQ(Ferrite({"flush", "--yes", "--json"}).Json()["deleted"], "0");
}

TEST_F(CliTest, TellsAboutTheServer) {
  EXPECT_THAT(Ferrite({"ping"}).out, HasSubstr(server_->address() + " is serving ("));
  EXPECT_EQ(Ferrite({"ping", "--json"}).Json()["serving"], true);
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"stats", "--json"}).Json()["entries"], "1");
  EXPECT_THAT(Ferrite({"stats"}).out, HasSubstr("entries"));
  EXPECT_EQ(Ferrite({"info", "--json"}).Json()["settings"].count("listen"), 1u);
  EXPECT_THAT(Ferrite({"info"}).out, HasSubstr("version"));
}

TEST_F(CliTest, TheOptionGoesBeforeTheEnvironment) {
  const Result absent = Ferrite({"--server", "127.0.0.1:1", "ping"});
  EXPECT_EQ(absent.exit_code, 2);
  EXPECT_THAT(absent.err, HasSubstr("cannot reach 127.0.0.1:1"));
}

TEST_F(CliTest, LargeValuesPass) {
  const std::string large(1 << 20, 'x');
  ASSERT_EQ(Ferrite({"set", "large", "-"}, large).exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "large"}).out, large);
  const Result too_large = Ferrite({"set", "large", "-"}, large + "x");
  EXPECT_EQ(too_large.exit_code, 2);
  EXPECT_FALSE(too_large.err.empty());
}

TEST_F(CliTest, AFullDiskIsAnError) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  const Result run = RunCommand({"bash", "-c", "\"$0\" get k >/dev/full", FERRITE_CLI_PATH}, "",
                                {"FERRITE_SERVER=" + server_->address()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("cannot write"));
}

TEST(CliAloneTest, SaysWhatToDoWhenNobodyIsThere) {
  const Result run = RunCommand({FERRITE_CLI_PATH, "--server", "127.0.0.1:1", "get", "k"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err,
            "ferrite: cannot reach 127.0.0.1:1: Connection refused\n"
            "Is the server running? Start one with ./dev run, or name another with --server "
            "HOST:PORT.\n");
  const Result json =
      RunCommand({FERRITE_CLI_PATH, "--server", "127.0.0.1:1", "--json", "get", "k"});
  EXPECT_EQ(nlohmann::json::parse(json.err)["error"]["code"], "UNAVAILABLE");
  const Result nonsense = RunCommand({FERRITE_CLI_PATH, "--server", "nonsense", "get", "k"});
  EXPECT_EQ(nonsense.exit_code, 2);
  EXPECT_THAT(nonsense.err, HasSubstr("host:port"));
}

TEST(CliAloneTest, HelpIsThere) {
  EXPECT_EQ(RunCommand({FERRITE_CLI_PATH, "--help"}).exit_code, 0);
  EXPECT_THAT(RunCommand({FERRITE_CLI_PATH, "set", "--help"}).out, HasSubstr("--if-version"));
  EXPECT_THAT(RunCommand({FERRITE_CLI_PATH, "--version"}).out, HasSubstr("ferrite "));
  EXPECT_THAT(RunCommand({FERRITE_CLI_PATH}).err, HasSubstr("Usage"));
}

TEST(CliAloneTest, WrongUseIsTwo) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"nonsense"},
                                             {"get"},
                                             {"get", "a", "b"},
                                             {"get", "k", "--nonsense"},
                                             {"set", "k"},
                                             {"completion", "tcsh"},
                                             {"get", "k", "--timeout", "5"},
                                             {"get", "k", "--timeout", "0s"}}) {
    std::vector<std::string> command = {FERRITE_CLI_PATH};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Result run = RunCommand(command);
    EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_FALSE(run.err.empty()) << testing::PrintToString(arguments);
  }
}

}  // namespace
}  // namespace ferrite
