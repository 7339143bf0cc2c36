// What the `ferrite` command says to a command line that it does not understand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

Result Alone(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
  return RunCommand(arguments, "", environment);
}

struct Wrong {
  std::vector<std::string> arguments;
  const char* complaint;
  const char* usage = "Usage: ferrite ";
};

TEST(UsageTest, NamesTheWordAndWhatWasMeant) {
  const std::string any = "\"\"";
  for (const Wrong& wrong : std::vector<Wrong>{
           {{"gte", "k"}, R"(there is no command "gte"; did you mean get?)"},
           {{"--json=false", "gte"}, "gte"},
           {{"statts"}, "did you mean stats?"},
           {{"keys", "*"}, R"(there is no command "keys"; write ferrite scan PREFIX)"},
           {{"flushall"}, "write ferrite flush"},
           {{"dbsize"}, "write ferrite stats"},
           {{"--jsno", "get", "k"}, "ferrite get has no option --jsno; did you mean --json?"},
           {{"get", "k", "--jsno"},
            "ferrite get has no option --jsno; did you mean --json?",
            "Usage: ferrite get [OPTIONS] [KEY]"},
           {{"set", "k", "v", "--if-absnt"},
            "did you mean --if-absent?",
            "Usage: ferrite set [OPTIONS] KEY VALUE"},
           {{"set", "k", "v", "--nx"}, "write --if-absent"},
           {{"set", "k", "v", "5m"},
            R"(ferrite set takes no further argument "5m"; write --ttl 5m)"},
           {{"set", "k", "v", "EX", "10"}, "write --ttl 10s"},
           {{"get", "a", "b"}, R"(ferrite get takes no further argument "b"; write ferrite mget)"},
           {{"set", "k"}, "set: VALUE is required", "Usage: ferrite set [OPTIONS] KEY VALUE"},
           {{"set", "k", "-v"}, "-- -v", "Usage: ferrite set [OPTIONS] KEY VALUE"},
           {{"get"}, "get: KEY, or --stdin, is required"},
           {{"del", "k", "--stdin"},
            "--stdin excludes KEY",
            "Usage: ferrite del [OPTIONS] [KEY...]"},
           {{"help", "gte"}, R"(there is no command "gte"; did you mean get?)"},
           {{"completion", "bsh"}, "bsh", "Usage: ferrite completion [OPTIONS] SHELL"},
           {{"mset", "a", "1", "b"}, "the last key has no value"},
           {{"subscribe"}, "name a CHANNEL", "Usage: ferrite subscribe [OPTIONS] [CHANNEL...]"},
           {{"watch"}, "name a PREFIX", "Usage: ferrite watch [OPTIONS] [PREFIX]"},
           {{"scan", "-0", "--json"}, "--json does not go with --raw and --null", ""},
           {{"bench", "--mode", "unary", "--batch", "2"}, "--batch does not go", "ferrite bench"},
       }) {
    const Result run = Alone(wrong.arguments);
    EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(wrong.arguments);
    EXPECT_EQ(run.out, "") << testing::PrintToString(wrong.arguments);
    EXPECT_THAT(run.err, HasSubstr(wrong.complaint));
    const bool in_help = wrong.arguments.front() == "help";
    EXPECT_THAT(run.err, HasSubstr(in_help ? "" : wrong.usage));
  }
}

TEST(UsageTest, NumbersOutOfRangeAreToldWithTheRange) {
  for (const Wrong& wrong : std::vector<Wrong>{
           {{"scan", "--limit", "-1"},
            R"(--limit: "-1" is not a whole number from 0 to 4294967295)"},
           {{"scan", "--limit", "4294967296"}, "from 0 to 4294967295"},
           {{"slowlog", "--limit", "x"}, R"("x" is not a whole number from 0 to 1000000)"},
           {{"bench", "--count", "1e9"}, R"(--count: "1e9" is not a whole number from 1 to)"},
           {{"bench", "--keys", "0"}, "is not a whole number from 1 to 10000000000"},
           {{"bench", "--read-ratio", "nan"}, R"("nan" is not a number from 0 to 1)"},
           {{"bench", "--duration", "0s"}, R"(--duration: "0s" is not 1ms to 365d)"},
           {{"top", "--interval", "0"}, R"(--interval: "0" is not 100ms to 1d)"},
           {{"top", "--count", "0"}, "from 1 to 18446744073709551615"},
           {{"set", "k", "v", "--ttl", "0s"}, R"(--ttl: "0s" is not 1ms to 36500d)"},
           {{"set", "k", "v", "--ttl", "40000d"}, R"("40000d" is not 1ms to 36500d)"},
           {{"set", "k", "v", "--ttl", "999999999999d"}, "is longer than 1,000 years"},
           {{"set", "k", "v", "--ttl", "10"}, R"("10" has no unit)"},
           {{"expire", "k", "10"}, R"(TTL: "10" has no unit)"},
           {{"incr", "k", "1.5"}, R"(NUMBER: "1.5" is not a whole number)"},
           {{"incr", "k", "9223372036854775808"}, "to 9223372036854775807"},
           {{"decr", "k", "-9223372036854775808"}, "from -9223372036854775807"},
           {{"get", "k", "--timeout", "0s"}, R"(--timeout: "0s" is not 1ms to 1d)"},
           {{"get", "k", "--timeout", "25h"}, R"("25h" is not 1ms to 1d)"},
           {{"bench", "--value-size", "65MiB"}, R"("65MiB" is not from 0 to 67108864 bytes)"},
           {{"bench", "--value-size", "-1"}, "'-1' is not an amount of memory"},
           {{"bench", "--key-size", "1"}, R"("1" is not from 2 to 4096 bytes)"},
       }) {
    const Result run = Alone(wrong.arguments);
    EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(wrong.arguments);
    EXPECT_THAT(run.err, HasSubstr(wrong.complaint));
  }
}

TEST(UsageTest, IsJsonForThoseWhoWantJson) {
  const Result run = Alone({"--json", "gte", "k"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(nlohmann::json::parse(run.err)["error"]["message"].get<std::string>(),
              HasSubstr("did you mean get?"));
}

TEST(UsageTest, HelpKnowsEveryCommand) {
  const Result all = Alone({"help"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_EQ(all.out, Alone({"--help"}).out);
  EXPECT_THAT(all.out, HasSubstr("FERRITE_SERVER"));
  const Result get = Alone({"help", "get"});
  EXPECT_EQ(get.exit_code, 0);
  EXPECT_EQ(get.out, Alone({"get", "--help"}).out);
  EXPECT_THAT(get.out, HasSubstr("--stdin"));
}

TEST(UsageTest, BlamesWhoeverNamedTheServer) {
  EXPECT_THAT(Alone({"ping"}, {"FERRITE_SERVER=nonsense"}).err, HasSubstr("FERRITE_SERVER: "));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"ping"}, {"cluster"}, {"get", "k"}, {"flush", "--yes"}}) {
    std::vector<std::string> line = {"--server", "::1:7391"};
    line.insert(line.end(), words.begin(), words.end());
    EXPECT_THAT(Alone(line).err, HasSubstr("an IPv6 address stands in brackets, as in [::1]:6380"));
  }
  EXPECT_THAT(Alone({"--server", "nonsense", "ping"}, {"FERRITE_SERVER=x:1"}).err,
              HasSubstr("--server: "));
  // Nothing listens on port 1.
  EXPECT_THAT(Alone({"--server", "127.0.0.1:1", "ping"}, {"FERRITE_SEVRER=x:1"}).err,
              HasSubstr("The environment has FERRITE_SEVRER; is that to be FERRITE_SERVER?"));
}

}  // namespace
}  // namespace ferrite
