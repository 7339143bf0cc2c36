// `ferrite -` and `ferrite run`: commands that come one after the other.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;

class ScriptTest : public CliTest {
 protected:
  // A file with this content, which is removed at the end of the test.
  std::string FileWith(const std::string& content) {
    const std::string path = testing::TempDir() + "ferrite_script_" +
                             std::to_string(testing::UnitTest::GetInstance()->random_seed()) +
                             std::to_string(files_.size());
    std::ofstream(path) << content;
    files_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const std::string& path : files_) std::filesystem::remove(path);
  }

 private:
  std::vector<std::string> files_;
};

TEST_F(ScriptTest, RunsOneCommandPerLine) {
  const Result run = Ferrite({"-"}, R"(# a comment, and an empty line

set greeting "hello, world"
get greeting
ferrite incr n 5
  set 'a b' "x\ny\x00" --ttl 5m
get 'a b')");
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, std::string("stored\nhello, world\n5\nstored\nx\ny\0\n", 34));
}

TEST_F(ScriptTest, EndsWhereItSaysSo) {
  for (const char* farewell : {"exit", " quit "}) {
    const Result run = Ferrite({"-"}, std::string("set k v\n") + farewell + "\nno such command\n");
    EXPECT_EQ(run.exit_code, 0) << run.err;
    EXPECT_EQ(run.out, "stored\n");
  }
}

// A socket would get the number of what is closed, and be read as the commands for ever.
TEST_F(ScriptTest, EndsIfThereIsNoInput) {
  const std::string command = std::string(FERRITE_CLI_PATH) + " --server " + server_->address();
  const auto in_shell = [&](const std::string& line) {
    return RunCommand({"/bin/sh", "-c", command + line});
  };
  EXPECT_EQ(in_shell(" - <&-").exit_code, 0);
  EXPECT_EQ(in_shell(" set k v <&- >&- 2>&-").exit_code, 0);
  EXPECT_EQ(in_shell(" get k <&-").out, "v");
}

TEST_F(ScriptTest, EndsWithTheWorstCodeAndNamesTheLine) {
  EXPECT_EQ(Ferrite({"-"}, "get missing\nset k v\n").exit_code, 1);
  const Result run = Ferrite({"-"}, "get missing\ngte k\n\nset k 'v\nset k v --ttl 0s\nset k v\n");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.out, "stored\n");
  EXPECT_THAT(run.err, HasSubstr("ferrite: line 2: there is no command \"gte\""));
  EXPECT_THAT(run.err, HasSubstr("ferrite: line 4: a quote is not closed"));
  EXPECT_THAT(run.err, HasSubstr("ferrite: line 5: set: --ttl: "));
  EXPECT_EQ(Ferrite({"-"}, "").exit_code, 0);
}

TEST_F(ScriptTest, SettingsHoldForEveryLine) {
  const Result run = Ferrite({"--json", "-"}, "incr n\nincr n 2\ngte\n");
  EXPECT_EQ(nlohmann::json::parse(run.out.substr(0, run.out.find('\n')))["value"], "1");
  EXPECT_THAT(run.out, HasSubstr(R"("value":"3")"));
  EXPECT_EQ(nlohmann::json::parse(run.err)["error"]["line"], "3");
}

TEST_F(ScriptTest, OptionsOfALineEndWithIt) {
  const Result run = Ferrite({"-"}, "incr n --json\nincr n\nincr n --by 5\nincr n\n");
  EXPECT_THAT(run.out, HasSubstr("}\n2\n7\n8\n"));
}

TEST_F(ScriptTest, TheInputThatHoldsTheCommandsIsNoValue) {
  const Result run = Ferrite({"-"}, "set k -\nset k v\ndel --stdin\nload\nrun\n");
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.err, HasSubstr("line 1: the standard input holds the commands"));
  for (const char* line : {"line 3: ", "line 4: ", "line 5: "}) {
    EXPECT_THAT(run.err, HasSubstr(line + std::string("the standard input holds the commands")));
  }
  EXPECT_EQ(run.out, "stored\n");
}

TEST_F(ScriptTest, RunsFiles) {
  const std::string file = FileWith("set k -\nget k\n");
  const Result run = Ferrite({"run", file}, "from the input");
  EXPECT_EQ(run.out, "stored\nfrom the input\n") << run.err;
  EXPECT_THAT(Ferrite({"run", "/nonexistent/file"}).err,
              HasSubstr("cannot open /nonexistent/file: No such"));
  const std::string endless = FileWith("");
  std::ofstream(endless) << "run " << endless << "\n";
  const Result nested = Ferrite({"run", endless});
  EXPECT_EQ(nested.exit_code, 2);
  EXPECT_THAT(nested.err, HasSubstr("limited to 8 levels"));
}

TEST_F(ScriptTest, AnswersBeforeTheNextLineComes) {
  // Whoever drives it line by line gets each answer at once.
  const Result run =
      RunCommand({"bash", "-c",
                  "coproc \"$0\" -; echo 'incr n' >&${COPROC[1]}; read -r -u ${COPROC[0]} one; "
                  "echo \"incr n $one\" >&${COPROC[1]}; read -r -u ${COPROC[0]} two; "
                  "exec {COPROC[1]}>&-; echo $one $two",
                  FERRITE_CLI_PATH},
                 "", {"FERRITE_SERVER=" + server_->address()});
  EXPECT_EQ(run.out, "1 2\n") << run.err;
}

}  // namespace
}  // namespace ferrite
