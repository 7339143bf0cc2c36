// `ferrite bench` against the real server, one that dies, and none at all.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

class BenchTest : public testing::Test {
 protected:
  Result Bench(std::vector<std::string> arguments) {
    std::vector<std::string> front = {FERRITE_CLI_PATH, "--server", server_.address(),
                                      "bench",          "--warmup", "0s"};
    // A busy machine refuses nobody who can wait.
    if (std::find(arguments.begin(), arguments.end(), "--timeout") == arguments.end())
      front.insert(front.end(), {"--timeout", "1h"});
    arguments.insert(arguments.begin(), front.begin(), front.end());
    return RunCommand(arguments);
  }
  nlohmann::json BenchJson(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Result run = Bench(arguments);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run.Numbers();
  }

  ServerProcess server_;
};

TEST_F(BenchTest, CountsWhatItWasAskedFor) {
  const auto json =
      BenchJson({"--count", "5000", "--keys", "1000", "--connections", "3", "--threads", "2"});
  EXPECT_EQ(json["all"]["calls"], 5000);
  EXPECT_EQ(json["all"]["keys"], 5000);
  EXPECT_EQ(json["hits"], 5000);
  EXPECT_EQ(json["misses"], 0);
  EXPECT_TRUE(json["all"]["errors"].empty());
  EXPECT_GT(json["all"]["calls_per_second"], 0);
  const auto& latency = json["all"]["latency_us"];
  EXPECT_GT(latency["p50"], 0);
  EXPECT_LE(latency["p50"], latency["p99"]);
  EXPECT_LE(latency["p99"], latency["p99_9"]);
  EXPECT_LE(latency["p99_9"], latency["max"]);
}

TEST_F(BenchTest, WithoutPreloadReadsMiss) {
  const auto json = BenchJson({"--count", "1000", "--no-preload"});
  EXPECT_EQ(json["hits"], 0);
  EXPECT_EQ(json["misses"], 1000);
}

TEST_F(BenchTest, MixesReadsAndWrites) {
  const auto json = BenchJson({"--op", "mixed", "--read-ratio", "0.5", "--count", "4000", "--keys",
                               "100", "--distribution", "zipf", "--value-size", "1000"});
  EXPECT_EQ(json["reads"]["calls"].get<int>() + json["writes"]["calls"].get<int>(), 4000);
  EXPECT_NEAR(json["reads"]["calls"], 2000, 300);
  EXPECT_EQ(json["hits"], json["reads"]["keys"]);
}

TEST_F(BenchTest, BatchesCountTheirKeys) {
  const auto reads = BenchJson({"--op", "mget", "--count", "100", "--keys", "1000"});
  EXPECT_EQ(reads["all"]["keys"], 6400);
  EXPECT_EQ(reads["hits"], 6400);
  const auto writes = BenchJson({"--op", "set", "--batch", "10", "--count", "100"});
  EXPECT_EQ(writes["writes"]["keys"], 1000);
}

TEST_F(BenchTest, CountersCountEveryCall) {
  BenchJson({"--op", "incr", "--count", "3000", "--keys", "1"});
  const Result get =
      RunCommand({FERRITE_CLI_PATH, "--server", server_.address(), "get", "n000000000000000"});
  EXPECT_EQ(get.out, "3000");
}

TEST_F(BenchTest, ModesAreNamedOrFollowFromTheRest) {
  EXPECT_EQ(BenchJson({"--count", "1"})["settings"]["mode"], "unary");
  EXPECT_EQ(BenchJson({"--count", "1", "--batch", "2"})["settings"]["mode"], "mget");
  EXPECT_EQ(BenchJson({"--count", "1", "--op", "mget"})["settings"]["mode"], "mget");
  const auto json = BenchJson({"--count", "1", "--mode", "mget"});
  EXPECT_EQ(json["settings"]["batch"], 64);
  EXPECT_EQ(json["all"]["keys"], 64);
}

TEST_F(BenchTest, FramesCountTheirOperations) {
  const auto reads =
      BenchJson({"--mode", "pipeline", "--count", "300", "--keys", "1000", "--in-flight", "3"});
  EXPECT_EQ(reads["all"]["calls"], 300);
  EXPECT_EQ(reads["all"]["keys"], 300 * 64);
  EXPECT_EQ(reads["hits"], 300 * 64);
  const auto writes = BenchJson({"--mode", "pipeline", "--op", "set", "--batch", "7", "--count",
                                 "100", "--value-size", "20000"});
  EXPECT_EQ(writes["writes"]["keys"], 700);
  EXPECT_EQ(writes["reads"]["keys"], 0);
}

TEST_F(BenchTest, CallersOfTheLibraryAreCountedOneByOne) {
  const auto json = BenchJson({"--mode", "auto", "--op", "mixed", "--count", "1000", "--keys",
                               "100", "--connections", "1", "--in-flight", "64"});
  EXPECT_EQ(json["all"]["calls"], 1000);
  EXPECT_EQ(json["all"]["keys"], 1000);
  EXPECT_EQ(json["misses"], 0);
  EXPECT_EQ(json["settings"]["mode"], "auto");
}

TEST_F(BenchTest, BatchesOfTheLibraryCountTheirKeys) {
  for (const char* op : {"get", "set"}) {
    const auto json =
        BenchJson({"--mode", "auto", "--op", op, "--batch", "7", "--count", "50", "--keys", "200"});
    EXPECT_EQ(json["all"]["calls"], 50) << op;
    EXPECT_EQ(json["all"]["keys"], 350) << op;
    EXPECT_EQ(json["misses"], 0) << op;
  }
}

TEST_F(BenchTest, FramesOfLargeValuesAreReadInPieces) {
  const auto json = BenchJson({"--mode", "pipeline", "--batch", "30", "--count", "50", "--keys",
                               "40", "--value-size", "100000"});
  EXPECT_EQ(json["hits"], 1500);
}

TEST_F(BenchTest, WithoutPreloadFramesMiss) {
  const auto json = BenchJson({"--mode", "pipeline", "--count", "10", "--no-preload"});
  EXPECT_EQ(json["hits"], 0);
  EXPECT_EQ(json["misses"], 640);
}

TEST_F(BenchTest, AFrameMayMixReadsAndWrites) {
  const auto json = BenchJson({"--mode", "pipeline", "--op", "mixed", "--read-ratio", "0.5",
                               "--count", "100", "--keys", "100"});
  EXPECT_EQ(json["all"]["calls"], 100);
  EXPECT_EQ(json["all"]["keys"], 6400);
  EXPECT_NEAR(json["reads"]["keys"], 3200, 400);
  EXPECT_EQ(json["hits"], json["reads"]["keys"]);
  EXPECT_GT(json["all"]["latency_us"]["p50"], 0);
}

TEST_F(BenchTest, FramesCountOnCounters) {
  BenchJson({"--mode", "pipeline", "--op", "incr", "--count", "50", "--keys", "1"});
  const Result get =
      RunCommand({FERRITE_CLI_PATH, "--server", server_.address(), "get", "n000000000000000"});
  EXPECT_EQ(get.out, "3200");
}

TEST_F(BenchTest, PrintsATableOfFrames) {
  const Result run = Bench({"--mode", "pipeline", "--count", "100", "--keys", "10"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("frames/s  operations/s"));
}

TEST_F(BenchTest, PrintsATable) {
  const Result run = Bench({"--count", "100", "--keys", "10"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("p99.9"));
  EXPECT_THAT(run.out, HasSubstr("hits    100"));
  EXPECT_EQ(run.err, "");  // progress is for terminals
}

TEST_F(BenchTest, RunsForATime) {
  const auto json = BenchJson({"--duration", "1s", "--keys", "10"});
  EXPECT_GE(json["seconds"], 1);
  EXPECT_GT(json["all"]["calls"], 0);
}

TEST_F(BenchTest, FailedCallsAreCountedNotFatal) {
  // The values are larger than the server allows.
  const Result run = Bench({"--op", "set", "--value-size", "1048577", "--count", "20", "--json"});
  EXPECT_EQ(run.exit_code, 2);  // nothing succeeded
  EXPECT_EQ(run.Numbers()["all"]["errors"]["INVALID_ARGUMENT"], 20);
}

TEST_F(BenchTest, FailedOperationsOfFramesAreCounted) {
  const Result run = Bench({"--mode", "pipeline", "--op", "set", "--batch", "2", "--value-size",
                            "1048577", "--count", "5", "--json"});
  EXPECT_EQ(run.Numbers()["all"]["errors"]["INVALID_ARGUMENT"], 10);
  EXPECT_EQ(run.Numbers()["all"]["keys"], 0);
}

TEST_F(BenchTest, RefusedFramesAreCounted) {
  // Larger than gRPC's limit: each ends its stream, and the next opens another.
  const Result run = Bench({"--mode", "pipeline", "--op", "set", "--batch", "100", "--value-size",
                            "100000", "--count", "5", "--json"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.Numbers()["all"]["errors"]["INVALID_ARGUMENT"], 5);
}

// Returns when the server holds that many entries.
void AwaitEntries(const ServerProcess& server, uint64_t wanted) {
  const std::vector<std::string> stats = {FERRITE_CLI_PATH, "--server", server.address(), "--json",
                                          "stats"};
  while (RunCommand(stats).Numbers()["entries"].get<uint64_t>() < wanted) {
  }
}

TEST_F(BenchTest, OffersLoadAtARateOfItsOwn) {
  const auto json = BenchJson({"--rate", "500", "--arrivals", "constant", "--duration", "1s",
                               "--timeout", "30s", "--keys", "100"});
  const auto& open = json["open"];
  const auto& counts = open["counts"];
  // Every arrival has been counted.
  EXPECT_EQ(counts["offered"].get<int>(),
            counts["unsent"].get<int>() + counts["good"].get<int>() + counts["late"].get<int>() +
                counts["shed"].get<int>() + counts["expired"].get<int>() +
                counts["failed"].get<int>());
  EXPECT_GT(counts["offered"], 0);
  EXPECT_LE(counts["offered"], 550);
  EXPECT_EQ(counts["failed"], 0);
  EXPECT_FALSE(open["timeline"].empty());
  EXPECT_EQ(json["settings"]["rate"], 500);
}

TEST_F(BenchTest, OffersLoadThroughTheLibrary) {
  const auto json = BenchJson({"--mode", "auto", "--rate", "2000", "--duration", "1s", "--timeout",
                               "30s", "--keys", "100", "--op", "mixed"});
  const auto& counts = json["open"]["counts"];
  EXPECT_EQ(counts["offered"].get<int>(), counts["unsent"].get<int>() + counts["good"].get<int>());
  EXPECT_GT(counts["good"], 0);
  EXPECT_EQ(json["misses"], 0);
}

TEST_F(BenchTest, AnOpenLoopThroughTheLibraryEndsOverAFrozenServer) {
  ChildProcess bench({FERRITE_CLI_PATH, "--server", server_.address(), "--json", "bench", "--op",
                      "set", "--mode", "auto", "--warmup", "0s", "--duration", "1h", "--rate",
                      "10000", "--timeout", "500ms"});
  AwaitEntries(server_, 100);
  server_.Freeze();
  bench.Signal(SIGINT);
  EXPECT_EQ(bench.Wait(), 128 + SIGINT) << bench.err();
  server_.Thaw();
  EXPECT_GT(WithIntegers(nlohmann::json::parse(bench.out()))["open"]["counts"]["good"], 0);
}

TEST_F(BenchTest, AnOpenLoopEndsOverAFrozenServer) {
  ChildProcess bench({FERRITE_CLI_PATH, "--server", server_.address(), "--json", "bench", "--op",
                      "set", "--warmup", "0s", "--duration", "1h", "--rate", "10000", "--in-flight",
                      "10", "--timeout", "500ms"});
  AwaitEntries(server_, 100);
  server_.Freeze();
  bench.Signal(SIGINT);
  EXPECT_EQ(bench.Wait(), 128 + SIGINT) << bench.err();
  server_.Thaw();
  const auto counts = WithIntegers(nlohmann::json::parse(bench.out()))["open"]["counts"];
  EXPECT_GT(counts["expired"], 0);  // what was in flight
}

// How a run ends, in each mode.
class BenchEndTest : public BenchTest, public testing::WithParamInterface<const char*> {
 protected:
  // Starts to write, and returns when the server is busy with it.
  std::unique_ptr<ChildProcess> Start(const std::vector<std::string>& more) {
    std::vector<std::string> command = {
        FERRITE_CLI_PATH, "--server", server_.address(), "--json", "bench", "--op", "set",
        "--mode",         GetParam(), "--warmup",        "0s"};
    command.insert(command.end(), more.begin(), more.end());
    auto bench = std::make_unique<ChildProcess>(command);
    AwaitEntries(server_, 1000);
    return bench;
  }
};

TEST_P(BenchEndTest, CtrlCPrintsTheResultsSoFar) {
  const auto bench = Start({"--duration", "1h"});
  bench->Signal(SIGINT);
  EXPECT_EQ(bench->Wait(), 128 + SIGINT) << bench->err();
  const auto json = WithIntegers(nlohmann::json::parse(bench->out()));
  EXPECT_EQ(json["interrupted"], true);
  EXPECT_GT(json["all"]["calls"], 0);
}

TEST_P(BenchEndTest, OutlivesTheServer) {
  const auto bench = Start({"--count", "1000000000"});
  server_.Kill();
  bench->Signal(SIGINT);
  EXPECT_EQ(bench->Wait(), 128 + SIGINT) << bench->err();
  EXPECT_GT(WithIntegers(nlohmann::json::parse(bench->out()))["all"]["calls"], 0);
}

TEST_P(BenchEndTest, EndsOverAFrozenServer) {
  const auto bench = Start({"--duration", "1h", "--timeout", "1h"});
  server_.Freeze();
  bench->Signal(SIGINT);
  EXPECT_EQ(bench->Wait(), 128 + SIGINT) << bench->err();
  server_.Thaw();
}

INSTANTIATE_TEST_SUITE_P(Modes, BenchEndTest, testing::Values("unary", "mget", "pipeline"),
                         [](const auto& info) { return std::string(info.param); });

TEST(BenchAloneTest, SaysSoWhenNobodyIsThere) {
  const Result run = RunCommand({FERRITE_CLI_PATH, "--server", "127.0.0.1:1", "bench"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("cannot reach 127.0.0.1:1"));
}

TEST(BenchAloneTest, SenselessSettingsAreRefused) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--threads", "5", "--connections", "4"},
                                             {"--keys", "1000000", "--key-size", "6"},
                                             {"--op", "incr", "--batch", "2"},
                                             {"--mode", "unary", "--batch", "2"},
                                             {"--mode", "auto", "--op", "incr", "--batch", "2"},
                                             {"--mode", "pipeline", "--op", "mget"},
                                             {"--mode", "nonsense"},
                                             {"--op", "nonsense"},
                                             {"--duration", "0s"},
                                             {"--batch", "1025"},
                                             {"--read-ratio", "1.5"},
                                             {"--zipf-theta", "0"},
                                             {"--rate", "0"},
                                             {"--mode", "pipeline", "--rate", "10"},
                                             {"--mode", "auto", "--rate", "10", "--in-flight", "4"},
                                             {"--rate", "10", "--count", "10"},
                                             {"--arrivals", "never"},
                                             {"--count", "10", "--duration", "1s"}}) {
    std::vector<std::string> command = {FERRITE_CLI_PATH, "--server", "127.0.0.1:1", "bench"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Result run = RunCommand(command);
    EXPECT_EQ(run.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(run.err.find("cannot reach"), std::string::npos)
        << testing::PrintToString(arguments) << run.err;
  }
}

}  // namespace
}  // namespace ferrite
