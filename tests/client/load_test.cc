// `ferrite load` against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "client/cli/bytes.h"
#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::MatchesRegex;

class LoadTest : public CliTest {};

TEST_F(LoadTest, ADumpComesBackAsItWas) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  ASSERT_EQ(Ferrite({"set", "every byte", "-"}, all).exit_code, 0);
  ASSERT_EQ(Ferrite({"mset", "--escapes", "\\xff\\x00", "binary key", "empty", ""}).exit_code, 0);
  ASSERT_EQ(Ferrite({"set", "soon", "v", "--ttl", "1h"}).exit_code, 0);
  const std::string dump = Ferrite({"scan", "--json", "--values"}).out;
  ASSERT_EQ(Ferrite({"flush", "--yes"}).exit_code, 0);

  const Result load = Ferrite({"load"}, dump);
  EXPECT_EQ(load.exit_code, 0) << load.err;
  EXPECT_THAT(load.out, MatchesRegex("loaded 4 entries \\(.*\\) in .* s, .*/s\n"));
  EXPECT_EQ(Ferrite({"get", "every byte"}).out, all);
  EXPECT_EQ(Ferrite({"get", "--escapes", "\\xff\\x00"}).out, "binary key");
  EXPECT_EQ(Ferrite({"get", "empty", "--json"}).Json()["ttl_ms"], nullptr);
  EXPECT_GT(Ferrite({"get", "soon", "--json"}).Numbers()["ttl_ms"], 3'500'000);
  EXPECT_LE(Ferrite({"get", "soon", "--json"}).Numbers()["ttl_ms"], 3'600'000);
}

TEST_F(LoadTest, ReadsEveryFormat) {
  EXPECT_EQ(Ferrite({"load"}, "key,value,ttl\na,1,1h\nb,\"2,2\"\n").exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "b"}).out, "2,2");
  EXPECT_THAT(Ferrite({"ttl", "a"}).out, HasSubstr("59m"));
  EXPECT_EQ(Ferrite({"load"}, "c\tx\\ty\n").exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "c"}).out, "x\ty");
  EXPECT_EQ(Ferrite({"load", "-"}, "d\0x\n\0"s).exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "d"}).out, "x\n");
  EXPECT_EQ(Ferrite({"load", "--format", "csv"}, "{,}\n").exit_code, 0);
  EXPECT_EQ(Ferrite({"get", "{"}).out, "}");
  EXPECT_THAT(Ferrite({"load"}, "what is this\n").err, HasSubstr("--format"));
  EXPECT_EQ(Ferrite({"load"}, "").out.substr(0, 16), "loaded 0 entries");
  EXPECT_THAT(Ferrite({"load", "/nonexistent/file"}).err,
              HasSubstr("cannot open /nonexistent/file"));
}

TEST_F(LoadTest, SaysWhatABinaryIs) {
  const Result program = Ferrite({"load", FERRITE_CLI_PATH});
  EXPECT_EQ(program.exit_code, 2);
  EXPECT_EQ(program.out, "");
  EXPECT_THAT(program.err, HasSubstr("no file of entries: it is a program or library (ELF)"));
  EXPECT_THAT(Ferrite({"load"}, "\x1f\x8b\x08\0abc,d\n"s).err, HasSubstr("try zcat FILE"));
  EXPECT_THAT(Ferrite({"load"}, "\x01\0\x02\0"s).err, HasSubstr("looks like a binary file"));
  EXPECT_EQ(Ferrite({"load", "--format", "nul"}, "\x01\0\x02\0"s).exit_code, 0);
}

TEST_F(LoadTest, StopsAtTheFirstErrorOrSkipsThem) {
  const std::string lines = "a,1\nb\n" + std::string(5000, 'k') + ",1\nc,3\n,4\nd,5\n";
  const Result stop = Ferrite({"load", "--format", "csv"}, lines);
  EXPECT_EQ(stop.exit_code, 2);
  EXPECT_EQ(stop.out.substr(0, 14), "loaded 1 entry");
  EXPECT_THAT(stop.err, HasSubstr("ferrite: line 2: it has 1 fields"));
  EXPECT_THAT(stop.err, HasSubstr("1 failed; stopped there"));
  EXPECT_EQ(Ferrite({"get", "d"}).exit_code, 1);

  const Result skip = Ferrite({"load", "--format", "csv", "--on-error", "skip", "--json"}, lines);
  EXPECT_EQ(skip.exit_code, 2);
  EXPECT_EQ(skip.Json()["loaded"], "3");
  EXPECT_EQ(skip.Json()["failed"], "3");
  EXPECT_THAT(skip.err, HasSubstr(R"("line":"2")"));
  EXPECT_THAT(skip.err, HasSubstr(R"("line":"3")")) << "what only the server refuses, too";
  EXPECT_THAT(skip.err, HasSubstr(R"("line":"5")"));
  EXPECT_EQ(Ferrite({"mget", "a", "c", "d"}).exit_code, 0);
}

TEST_F(LoadTest, TheLastOfManyLinesWins) {
  std::string lines;
  for (int i = 0; i < 30'000; ++i) {
    lines += "k" + std::to_string(i % 10) + "," + std::to_string(i) + "\n";
    lines += "filler" + std::to_string(i) + ",x\n";
  }
  const Result load = Ferrite({"load", "--json"}, lines);
  EXPECT_EQ(load.Json()["loaded"], "60000") << load.err;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Ferrite({"get", "k" + std::to_string(i)}).out, std::to_string(29'990 + i));
  }
}

TEST_F(LoadTest, GivesTimesToLiveAndLeavesWhatIsThere) {
  ASSERT_EQ(Ferrite({"set", "a", "old"}).exit_code, 0);
  const Result load =
      Ferrite({"load", "--ttl", "1h", "--if-absent", "--json"}, "a,new\nb,1\nc,1,2h\n");
  EXPECT_EQ(load.exit_code, 0) << load.err;
  EXPECT_EQ(load.Json()["loaded"], "2");
  EXPECT_EQ(load.Json()["kept"], "1");
  EXPECT_EQ(Ferrite({"get", "a"}).out, "old");
  EXPECT_THAT(Ferrite({"ttl", "b"}).out, HasSubstr("59m"));
  EXPECT_THAT(Ferrite({"ttl", "c"}).out, HasSubstr("1h59m"));
}

TEST_F(LoadTest, LargeValuesTravelAlone) {
  const std::string large(1 << 20, 'v');
  std::string lines;
  for (int i = 0; i < 12; ++i) lines += "k" + std::to_string(i) + "\t" + large + "\n";
  lines += "small\t1\ntoo large\t" + large + large + "\n";
  const Result load = Ferrite({"load", "--format", "tsv", "--on-error", "skip", "--json"}, lines);
  EXPECT_EQ(load.Json()["loaded"], "13");
  EXPECT_THAT(load.err, HasSubstr(R"("line":"14")"));
}

TEST_F(LoadTest, OnlyCountsErrorsBeyondTheFirstHundred) {
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "nothing\n";
  const Result load = Ferrite({"load", "--format", "csv", "--on-error", "skip"}, lines);
  EXPECT_EQ(std::count(load.err.begin(), load.err.end(), '\n'), 102);
  EXPECT_THAT(load.err, HasSubstr("500 failed\n"));
}

TEST(LoadAloneTest, SaysSoWhenNobodyIsThere) {
  const Result load = RunCommand({FERRITE_CLI_PATH, "--server", "127.0.0.1:1", "load"}, "a,1\n");
  EXPECT_EQ(load.exit_code, 2);
  EXPECT_THAT(load.err, HasSubstr("lines 1 to 1: cannot reach 127.0.0.1:1"));
  EXPECT_THAT(load.out, HasSubstr("loaded 0 entries"));
}

}  // namespace
}  // namespace ferrite
