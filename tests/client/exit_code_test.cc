// The exit code of each command, and JSON that loses no digit in a reader of doubles.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

class ExitCodeTest : public CliTest {};

TEST_F(ExitCodeTest, AreZeroOneAndTwo) {
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
  };
  for (const Case& wanted : std::vector<Case>{
           {{"set", "k", "v"}, 0},
           {{"set", "k", "v", "--if-absent"}, 1},
           {{"set", "k", "v", "--if-version", "1"}, 1},
           {{"get", "k"}, 0},
           {{"get", "missing"}, 1},
           {{"get", ""}, 2},
           {{"mset", "a", "1", "b", "2"}, 0},
           {{"mset", "", "1"}, 2},
           {{"mget", "a", "b"}, 0},
           {{"mget", "a", "missing"}, 1},
           {{"exists", "a", "b"}, 0},
           {{"exists", "a", "missing"}, 1},
           {{"expire", "a", "1h"}, 0},
           {{"expire", "missing", "1h"}, 1},
           {{"ttl", "a"}, 0},
           {{"ttl", "missing"}, 1},
           {{"persist", "a"}, 0},
           {{"persist", "missing"}, 1},
           {{"touch", "a", "--ttl", "1h"}, 0},
           {{"touch", "missing", "--ttl", "1h"}, 1},
           {{"del", "a", "missing"}, 1},
           {{"del", "b"}, 0},
           {{"del", "k", "--if-version", "1"}, 1},
           {{"incr", "n"}, 0},
           {{"decr", "n"}, 0},
           {{"incr", "k"}, 2},
           {{"incr", "n", "5", "--max", "1"}, 2},
           {{"scan"}, 0},
           {{"scan", "no such prefix"}, 0},
           {{"publish", "channel", "message"}, 0},
           {{"publish", "", "message"}, 2},
           {{"subscribe"}, 2},
           {{"watch"}, 2},
           {{"ping"}, 0},
           {{"info"}, 0},
           {{"stats"}, 0},
           {{"top", "--count", "1", "--interval", "100ms"}, 0},
           {{"slowlog"}, 0},
           {{"bench", "--count", "10", "--keys", "10", "--warmup", "0s"}, 0},
           {{"completion", "bash"}, 0},
           {{"help"}, 0},
           {{"help", "set"}, 0},
           {{"run", "/nonexistent"}, 2},
           {{"load", "/nonexistent"}, 2},
           {{"flush"}, 2},
           {{"flush", "--yes"}, 0},
       }) {
    const Result run = Ferrite(wanted.arguments);
    EXPECT_EQ(run.exit_code, wanted.exit_code)
        << testing::PrintToString(wanted.arguments) << run.out << run.err;
    if (wanted.exit_code != 1) {  // a miss may be told on either
      EXPECT_EQ(run.err.empty(), wanted.exit_code == 0)
          << testing::PrintToString(wanted.arguments) << run.err;
    }
  }
}

TEST_F(ExitCodeTest, AnEntryThatFailsSaysWhyToPrograms) {
  const ServerProcess full("127.0.0.1:0", {"--max-memory=16MiB", "--eviction=noeviction"});
  std::string entries;
  for (int i = 0; i < 40; ++i)
    entries += std::to_string(i) + "\n" + std::string(1 << 20, 'x') + "\n";
  const Result mset = RunCommand(
      {FERRITE_CLI_PATH, "--json", "--server", full.address(), "mset", "--stdin"}, entries);
  EXPECT_EQ(mset.exit_code, 2);
  const nlohmann::json last = mset.Json()["results"].at(39);
  EXPECT_EQ(last["stored"], false);
  EXPECT_EQ(last["error"]["code"], "RESOURCE_EXHAUSTED");
  EXPECT_EQ(last["error"]["reason"], "MEMORY_FULL");
}

TEST_F(ExitCodeTest, UpperCaseWorksAsWithOtherCaches) {
  EXPECT_EQ(Ferrite({"SET", "k", "v"}).out, "stored\n");
  EXPECT_EQ(Ferrite({"Get", "k"}).out, "v");
  EXPECT_EQ(Ferrite({"-"}, "MSET a 1 b 2\nGET b\n").out, "stored 2 of 2\n2\n");
  EXPECT_EQ(Ferrite({"-V"}).out, Ferrite({"--version"}).out);
}

TEST_F(ExitCodeTest, TheCountersThatPeopleTypeWork) {
  EXPECT_EQ(Ferrite({"incr", "n", "5"}).out, "5\n");
  EXPECT_EQ(Ferrite({"incr", "n", "-7"}).out, "-2\n");
  EXPECT_EQ(Ferrite({"decr", "n"}).out, "-3\n");
  EXPECT_EQ(Ferrite({"decr", "n", "-10"}).out, "7\n");
  EXPECT_EQ(Ferrite({"decr", "n", "--by", "2"}).out, "5\n");
  EXPECT_EQ(Ferrite({"incr", "n", "1", "--by", "1"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"expire", "n", "1h"}).out, "1h\n");
  EXPECT_EQ(Ferrite({"persist", "n"}).out, "never\n");
}

// Whether `value` has an integer that is a number.
bool HasIntegerNumber(const nlohmann::json& value) {
  if (value.is_structured()) {
    return std::any_of(value.begin(), value.end(), HasIntegerNumber);
  }
  return value.is_number_integer();
}

TEST_F(ExitCodeTest, NoCommandPrintsIntegersAsJsonNumbers) {
  const ServerProcess slow("127.0.0.1:0", {"--slowlog-threshold=0"});
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"set", "k", "v", "--ttl", "1h"},
           {"set", "k", "v", "--return-previous"},
           {"get", "k"},
           {"incr", "n", "9007199254740993"},
           {"mset", "a", "1", "b", "2"},
           {"mget", "a", "missing"},
           {"exists", "a", "missing"},
           {"touch", "a", "--ttl", "1h"},
           {"ttl", "a"},
           {"scan", "--values"},
           {"publish", "channel", "message"},
           {"stats"},
           {"info"},
           {"ping"},
           {"slowlog", "--limit", "1"},
           {"top", "--count", "1", "--interval", "100ms"},
           {"bench", "--count", "10", "--keys", "10", "--warmup", "0s"},
           {"bench", "--rate", "100", "--duration", "100ms", "--keys", "10"},
           {"load"},
           {"del", "a", "b"},
           {"del", "k", "--if-version", "1"},
           {"slowlog", "--reset"},
           {"flush", "--yes"},
       }) {
    std::vector<std::string> command = {FERRITE_CLI_PATH, "--json", "--server", slow.address()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Result run = RunCommand(command);
    const std::string line = run.out.substr(0, run.out.find('\n'));
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(json.is_object()) << testing::PrintToString(arguments) << run.out << run.err;
    EXPECT_FALSE(HasIntegerNumber(json)) << line;
  }
}

TEST_F(ExitCodeTest, AReaderOfDoublesLosesNoDigit) {
  // jq 1.6 holds every number as a double.
  const Result run = RunCommand({"bash", "-c",
                                 R"("$0" incr n 9007199254740993 --json | jq -r .value
          "$0" incr n 9223372036854775807 --max 9223372036854775807 --saturate --json | jq -r .value
          version=$("$0" get n --json | jq -r .version)
          "$0" set n 1 --if-version "$version")",
                                 FERRITE_CLI_PATH},
                                "", {"FERRITE_SERVER=" + server_->address()});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "9007199254740993\n9223372036854775807\nstored\n");
}

TEST_F(ExitCodeTest, WithoutATerminalThereAreNoEscapes) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"stats"},
           {"scan"},
           {"flush", "--yes"},
           {"gte"},
           {"top", "--count", "1", "--interval", "100ms"},
           {"bench", "--count", "10", "--keys", "10", "--warmup", "0s"}}) {
    const Result run = Ferrite(arguments);
    EXPECT_EQ((run.out + run.err).find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace ferrite
