// `ferrite publish`, `subscribe` and `watch` against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;

class EventsTest : public testing::Test {
 protected:
  Result Ferrite(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
    return RunCommand(arguments, "", {"FERRITE_SERVER=" + server_.address()});
  }
  // A subscriber that prints JSON and has been acknowledged.
  std::unique_ptr<ChildProcess> Follow(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FERRITE_CLI_PATH);
    arguments.push_back("--json");
    auto follower = std::make_unique<ChildProcess>(
        arguments, "", std::vector<std::string>{"FERRITE_SERVER=" + server_.address()});
    EXPECT_EQ(NextOf(*follower)["event"], "acknowledgement");
    return follower;
  }
  static json NextOf(ChildProcess& follower) {
    return WithIntegers(json::parse(follower.ReadLine().value_or("null"), nullptr, false));
  }

  ServerProcess server_;
};

TEST_F(EventsTest, PublishTellsHowManyGotIt) {
  EXPECT_EQ(Ferrite({"publish", "news", "x"}).out, "0 receivers\n");
  const auto first = Follow({"subscribe", "news"});
  EXPECT_EQ(Ferrite({"publish", "news", "x"}).out, "1 receiver\n");
  const auto second = Follow({"subscribe", "--glob", "[m-o]*", "other"});
  const json told = Ferrite({"publish", "news", "x", "--json"}).Numbers();
  EXPECT_EQ(told["receivers"], 2);
  EXPECT_GT(told["sequence"].get<int64_t>(), 0);
  const Result refused = Ferrite({"publish", "", "x"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_FALSE(refused.err.empty());
}

TEST_F(EventsTest, SubscribePrintsMessagesUntilThereWereEnough) {
  const auto follower = Follow({"subscribe", "a", "b", "--count", "2"});
  ASSERT_EQ(Ferrite({"publish", "a", "1"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"publish", "c", "not followed"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"publish", "b", "2"}).exit_code, 0);
  const json first = NextOf(*follower);
  EXPECT_EQ(first["channel"], "a");
  EXPECT_EQ(first["payload"], 1);
  EXPECT_TRUE(first["resume_token"].is_string());
  EXPECT_LT(first["sequence"].get<int64_t>(), NextOf(*follower)["sequence"].get<int64_t>());
  EXPECT_EQ(follower->Wait(), 0) << follower->err();
}

TEST_F(EventsTest, SubscribeGoesOnWithAToken) {
  const auto follower = Follow({"subscribe", "c", "--count", "1"});
  ASSERT_EQ(Ferrite({"publish", "c", "1"}).exit_code, 0);
  const std::string token = NextOf(*follower)["resume_token"];
  EXPECT_EQ(follower->Wait(), 0);
  ASSERT_EQ(Ferrite({"publish", "c", "2"}).exit_code, 0);
  const Result rest = Ferrite({"subscribe", "c", "--resume", token, "--count", "1"});
  EXPECT_THAT(rest.out, MatchesRegex("..:..:......  c  2\n"));
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
}

TEST_F(EventsTest, WatchPrintsWhatHappensToKeys) {
  const auto follower = Follow({"watch", "user:", "--key", "n", "--values"});
  ASSERT_EQ(Ferrite({"set", "user:1", "Ada"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"set", "other", "x"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"incr", "n"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"del", "user:1"}).exit_code, 0);
  const json set = NextOf(*follower);
  EXPECT_EQ(set["event"], "set");
  EXPECT_EQ(set["key"], "user:1");
  EXPECT_EQ(set["value"], "Ada");
  const json incr = NextOf(*follower);
  EXPECT_EQ(incr["event"], "incr");
  EXPECT_EQ(incr["value"], 1);
  const json gone = NextOf(*follower);
  EXPECT_EQ(gone["event"], "delete");
  EXPECT_EQ(gone["version"], set["version"]);
  EXPECT_FALSE(gone.contains("value"));
  follower->Signal(SIGINT);
  EXPECT_EQ(follower->Wait(), 128 + SIGINT) << follower->err();
}

TEST_F(EventsTest, WatchTellsOnlyTheKindsThatAreWanted) {
  const auto follower = Follow({"watch", "", "--kind", "delete,incr", "--count", "2"});
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"incr", "n"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"del", "k"}).exit_code, 0);
  EXPECT_EQ(NextOf(*follower)["event"], "incr");
  EXPECT_EQ(NextOf(*follower)["event"], "delete");
  EXPECT_EQ(follower->Wait(), 0);
}

TEST_F(EventsTest, AReconnectionIsNotedAndAGapIsPrinted) {
  const auto follower = Follow({"watch", "", "--count", "1"});
  const std::string address = server_.address();
  server_.Kill();
  const ServerProcess again(address);
  EXPECT_EQ(NextOf(*follower)["event"], "acknowledgement");
  EXPECT_EQ(NextOf(*follower)["event"], "discontinuity");
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  EXPECT_EQ(NextOf(*follower)["event"], "set");
  EXPECT_EQ(follower->Wait(), 0);
  EXPECT_THAT(follower->err(), HasSubstr("trying again\n"));
  EXPECT_THAT(follower->err(), HasSubstr("connected again\n"));
}

TEST_F(EventsTest, WhatCannotWorkSaysSo) {
  EXPECT_THAT(Ferrite({"subscribe"}).err, HasSubstr("--glob"));
  EXPECT_THAT(Ferrite({"watch"}).err, HasSubstr("PREFIX"));
  EXPECT_EQ(Ferrite({"watch", "x", "--kind", "sets"}).exit_code, 2);
  EXPECT_THAT(Ferrite({"subscribe", "c", "--resume", "?"}).err, HasSubstr("base64"));
  const Result refused = Ferrite({"subscribe", "--glob", "[a"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_FALSE(refused.err.empty());
}

TEST_F(EventsTest, AServerThatIsNotThereIsNotAwaitedForEver) {
  server_.Kill();
  const Result result = Ferrite({"watch", "", "--timeout", "50ms"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("Is the server running?"));
}

TEST_F(EventsTest, KindsAreColoredOnATerminal) {
  const auto follower = Follow({"watch", "k", "--count", "1"});
  ASSERT_EQ(Ferrite({"set", "k", "v"}).exit_code, 0);
  ASSERT_EQ(Ferrite({"del", "k"}).exit_code, 0);
  const std::string token = NextOf(*follower)["resume_token"];
  const Result terminal =
      RunCommand({"script", "-qec",
                  std::string(FERRITE_CLI_PATH) + " watch k --count 1 --server " +
                      server_.address() + " --resume " + token,
                  "/dev/null"},
                 "", {"TERM=xterm"});
  EXPECT_EQ(terminal.exit_code, 0) << terminal.err;
  EXPECT_THAT(terminal.out, HasSubstr("\x1b[31mdelete\x1b[0m  k"));
}

}  // namespace
}  // namespace ferrite
