// The completion scripts, in the shells that they are for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;
using testing::Not;

// What bash offers for the last of `words`.
std::string BashOffers(const std::string& words) {
  const Result run = RunCommand({"bash", "-c", R"(
      source <("$0" completion bash)
      COMP_WORDS=()" + words + R"()
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      _ferrite
      echo "${COMPREPLY[*]}")",
                                 FERRITE_CLI_PATH});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.err, "");
  return run.out;
}

TEST(CompletionTest, BashOffersCommandsFlagsAndChoices) {
  EXPECT_EQ(BashOffers("ferrite s"), "set scan stats\n");
  EXPECT_EQ(BashOffers("ferrite --server host:1 p"), "ping\n");
  EXPECT_EQ(BashOffers("ferrite set --if"), "--if-absent --if-present --if-version\n");
  EXPECT_EQ(BashOffers("ferrite touch --p"), "--persist\n");
  EXPECT_EQ(BashOffers("ferrite bench --distribution ''"), "uniform zipf\n");
  EXPECT_EQ(BashOffers("ferrite completion z"), "zsh\n");
  EXPECT_EQ(BashOffers("ferrite set --ttl ''"), "\n");
}

TEST(CompletionTest, FishOffersCommandsFlagsAndChoices) {
  const auto offers = [](const std::string& line) {
    const Result run =
        RunCommand({"fish", "-c",
                    "'" FERRITE_CLI_PATH "' completion fish | source; complete -C '" + line + "'"},
                   "", {"HOME=/nonexistent"});
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run.out;
  };
  EXPECT_THAT(offers("ferrite s"), HasSubstr("stats\tPrint what the server holds"));
  EXPECT_THAT(offers("ferrite s"), Not(HasSubstr("ping")));
  EXPECT_THAT(offers("ferrite set --if"), HasSubstr("--if-absent"));
  EXPECT_THAT(offers("ferrite bench --op "), HasSubstr("mixed"));
}

TEST(CompletionTest, ZshCompletesCommandsFlagsAndChoices) {
  // Completion lives in zsh's line editor: this types into an interactive zsh on a terminal of its
  // own, and waits for what has to appear. While it waits it gathers what the terminal shows, without
  // a limit: so it is ended if it waits in vain.
  const Result run = RunCommand({"timeout", "20", "zsh", "-f", "-c", R"(
      zmodload zsh/zpty
      zpty -b shell zsh -f -i
      zpty -w shell "autoload -Uz compinit; compinit -u -D; source <('$0' completion zsh); echo re''ady"
      zpty -r -m shell seen '*ready*'
      zpty -n -w shell $'ferrite sc\t--pre\tx --li\t3\C-u'
      zpty -r -m shell seen '*scan*--prefix*x*--limit*3*'
      zpty -n -w shell $'ferrite bench --distr\tz\t\C-u'
      zpty -r -m shell seen '*--distribution*zipf*'
      zpty -d shell
      echo done)",
                                 FERRITE_CLI_PATH});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "done\n");
}

}  // namespace
}  // namespace ferrite
