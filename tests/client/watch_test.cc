// `ferrite top` and `ferrite slowlog` against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;
using testing::Not;

// A server for which every call is slow.
class WatchTest : public testing::Test {
 protected:
  Result Ferrite(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
    return RunCommand(arguments, "", {"FERRITE_SERVER=" + server_.address()});
  }
  ChildProcess Start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
    return ChildProcess(arguments, "", {"FERRITE_SERVER=" + server_.address()});
  }

  ServerProcess server_{"127.0.0.1:0", {"--slowlog-threshold=0", "--slowlog-entries=50"}};
};

TEST_F(WatchTest, SlowlogListsTheNewestFirst) {
  ASSERT_EQ(Ferrite({"set", "first", "v"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"mget", "a", "b", "c"}).exit_code, 1);
  const Result list = Ferrite({"slowlog"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_LT(list.out.find("MGet"), list.out.find("Set"));
  EXPECT_THAT(list.out, HasSubstr("key first"));
  EXPECT_THAT(list.out, HasSubstr("ipv4:127.0.0.1:"));
  EXPECT_THAT(Ferrite({"slowlog", "--limit", "1"}).out, Not(HasSubstr("key first")));
}

TEST_F(WatchTest, SlowlogTellsAllInJson) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  const nlohmann::json json = Ferrite({"slowlog", "--json"}).Json();
  EXPECT_EQ(json["threshold_us"], "0");
  const nlohmann::json& call = json["calls"].at(0);
  EXPECT_EQ(call["method"], "Set");
  EXPECT_EQ(call["service"], "ferrite.v1.CacheService");
  EXPECT_EQ(call["key"], "k");
  EXPECT_EQ(call["code"], "OK");
  EXPECT_EQ(call["trace_id"], nullptr);
  EXPECT_GE(std::stoll(call["execute_us"].get<std::string>()), 0);
}

TEST_F(WatchTest, SlowlogForgets) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  EXPECT_EQ(Ferrite({"slowlog", "--reset"}).out, "forgot 1 slow call\n");
  EXPECT_THAT(Ferrite({"slowlog"}).out, Not(HasSubstr("key k")));
  EXPECT_EQ(Ferrite({"slowlog", "--reset", "--json"}).Json()["forgotten"], "1")
      << "the first reset";
  EXPECT_EQ(Ferrite({"slowlog", "--reset", "--limit", "3"}).exit_code, 2);
}

TEST_F(WatchTest, SlowlogFollowsUntilInterrupted) {
  ASSERT_EQ(Ferrite({"set", "before", "v"}).exit_code, 0);
  ChildProcess follow = Start({"slowlog", "--follow", "--json"});
  EXPECT_THAT(follow.ReadLine().value_or(""), HasSubstr("before"));
  ASSERT_EQ(Ferrite({"set", "after", "v"}).exit_code, 0);
  EXPECT_THAT(follow.ReadLine().value_or(""), HasSubstr("after"));
  follow.Signal(SIGINT);
  EXPECT_EQ(follow.Wait(), 128 + SIGINT) << follow.err();
}

TEST_F(WatchTest, WhatFollowsEndsWhenNobodyReadsIt) {
  // Nothing happens on this server that they could print, and find out by.
  const ServerProcess idle;
  for (const char* command :
       {"slowlog --follow", "watch user:", "subscribe news", "top --interval 1d"}) {
    const std::string line = std::string(FERRITE_CLI_PATH) + " --server " + idle.address() + " " +
                             command + " | true; echo ${PIPESTATUS[0]}";
    EXPECT_EQ(RunCommand({"bash", "-c", line}).out, std::to_string(128 + SIGPIPE) + "\n")
        << command;
  }
}

TEST_F(WatchTest, ALogThatIsOffSaysSo) {
  ServerProcess off("127.0.0.1:0", {"--slowlog-threshold=off"});
  const Result list = RunCommand({FERRITE_CLI_PATH, "--server", off.address(), "slowlog"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_EQ(list.out, "");
  EXPECT_THAT(list.err, HasSubstr("the log is off"));
}

TEST_F(WatchTest, TopPrintsAsOftenAsAsked) {
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  const Result top = Ferrite({"top", "--count", "2", "--interval", "100ms"});
  EXPECT_EQ(top.exit_code, 0) << top.err;
  const size_t first = top.out.find("calls/s");
  const size_t second = top.out.find("calls/s", first + 1);
  EXPECT_NE(second, std::string::npos);
  EXPECT_EQ(top.out.find("calls/s", second + 1), std::string::npos);
  EXPECT_THAT(top.out, HasSubstr("entries 1 "));
  EXPECT_THAT(top.out, Not(HasSubstr("\x1b"))) << "this is no terminal";
}

TEST_F(WatchTest, TopPrintsJsonLines) {
  const Result top = Ferrite({"top", "--count", "3", "--interval", "100ms", "--json"});
  EXPECT_EQ(std::count(top.out.begin(), top.out.end(), '\n'), 3);
  const nlohmann::json line =
      WithIntegers(nlohmann::json::parse(top.out.substr(0, top.out.find('\n'))));
  EXPECT_GE(line["interval_ms"].get<int64_t>(), 100);
  const nlohmann::json& busiest = line["methods"].at(0);
  EXPECT_EQ(busiest["method"], "Stats");
  EXPECT_EQ(busiest["service"], "ferrite.v1.AdminService");
  EXPECT_GT(busiest["calls"].get<double>(), 0);
  EXPECT_EQ(line["hit_ratio"], nullptr);
}

TEST_F(WatchTest, TopEndsOnAnInterrupt) {
  ChildProcess top = Start({"top", "--interval", "100ms", "--json"});
  ASSERT_TRUE(top.ReadLine().has_value());
  top.Signal(SIGINT);
  EXPECT_EQ(top.Wait(), 128 + SIGINT) << top.err();
  EXPECT_TRUE(top.out().empty() || top.out().back() == '\n') << "whole lines only";
}

TEST_F(WatchTest, TopRedrawsOnATerminal) {
  const Result top =
      RunCommand({"script", "-qec",
                  std::string(FERRITE_CLI_PATH) + " top --count 2 --interval 100ms --server " +
                      server_.address(),
                  "/dev/null"},
                 "", {"TERM=xterm"});
  EXPECT_EQ(top.exit_code, 0) << top.err;
  const std::string clear = "\x1b[2J", home = "\x1b[H", below = "\x1b[J";
  EXPECT_EQ(top.out.find(clear), 0u);
  EXPECT_EQ(top.out.find(clear, 1), std::string::npos) << "only once";
  EXPECT_NE(top.out.find(home, top.out.find(below)), std::string::npos);
}

TEST_F(WatchTest, TopRefusesAnIntervalThatIsTooShort) {
  EXPECT_EQ(Ferrite({"top", "--interval", "5ms"}).exit_code, 2);
  EXPECT_EQ(Ferrite({"top", "--count", "-1"}).exit_code, 2);
}

}  // namespace
}  // namespace ferrite
