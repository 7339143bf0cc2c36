// The completion scripts, in their shells.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/cli_fixture.h"

namespace ferrite {
namespace {

using testing::HasSubstr;
using testing::Not;

// The completions that bash offers for the last of `words`.
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
  EXPECT_EQ(BashOffers("ferrite s"), "set scan subscribe stats slowlog\n");
  EXPECT_EQ(BashOffers("ferrite --server host:1 p"), "persist publish ping policy\n");
  EXPECT_EQ(BashOffers("ferrite set --if"), "--if-absent --if-present --if-version\n");
  EXPECT_EQ(BashOffers("ferrite touch --p"), "--persist\n");
  EXPECT_EQ(BashOffers("ferrite bench --distribution ''"), "uniform zipf\n");
  EXPECT_THAT(BashOffers("ferrite slowlog --"), HasSubstr("--limit --reset --follow"));
  EXPECT_THAT(BashOffers("ferrite top --"), HasSubstr("--interval --count"));
  EXPECT_EQ(BashOffers("ferrite bench --mode ''"), "unary mget pipeline auto\n");
  EXPECT_EQ(BashOffers("ferrite watch --kind ''"), "set delete incr expire evict\n");
  EXPECT_THAT(BashOffers("ferrite subscribe --"), HasSubstr("--glob --count --resume"));
  EXPECT_EQ(BashOffers("ferrite completion z"), "zsh\n");
  EXPECT_EQ(BashOffers("ferrite load --on-error ''"), "stop skip\n");
  EXPECT_EQ(BashOffers("ferrite load --format ''"), "json csv tsv nul\n");
  EXPECT_EQ(
      BashOffers("ferrite del --"),
      "--stdin --null --if-version --help --version --server --tls --ca --cert --key --tls-name "
      "--token-file --token --namespace --json --base64 --escapes --timeout\n");
  EXPECT_EQ(BashOffers("ferrite help slo"), "slowlog\n");
  EXPECT_THAT(BashOffers("ferrite load /etc/pass"), HasSubstr("/etc/passwd"));
  EXPECT_THAT(BashOffers("ferrite stats --"), HasSubstr("--all"));
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
  EXPECT_THAT(offers("ferrite load --on-error "), HasSubstr("skip"));
  EXPECT_THAT(offers("ferrite load /etc/pass"), HasSubstr("/etc/passwd"));
  EXPECT_THAT(offers("ferrite help slo"), HasSubstr("slowlog"));
}

TEST(CompletionTest, ZshOffersCommandsFlagsAndChoices) {
  // The arguments that the script passes to zsh's own _arguments. (Typing into a zsh on a terminal
  // would test more, but zsh's zpty buffers without a limit while it waits.)
  const Result run = RunCommand({"zsh", "-f", "-c", R"(
      autoload -Uz compinit; compinit -u -D; source <("$0" completion zsh)
      echo "completed by ${_comps[ferrite]}"
      _arguments() { print -rl -- "$@"; state=argument }
      words=(scan); _ferrite
      words=(bench); _ferrite
      words=(load); _ferrite
      words=(help); _ferrite
      _arguments() { state=command }
      _describe() { print -rl -- "${(P@)2}" }
      _ferrite)",
                                 FERRITE_CLI_PATH});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("completed by _ferrite\n"));
  EXPECT_THAT(run.out, HasSubstr("--prefix["));
  EXPECT_THAT(run.out, HasSubstr("--limit["));
  EXPECT_THAT(run.out, HasSubstr("uniform zipf"));
  EXPECT_THAT(run.out, HasSubstr("1:file:_files"));
  EXPECT_THAT(run.out, HasSubstr("1:value:(get set del incr decr exists"));
  EXPECT_THAT(run.out, HasSubstr("ping:Check whether"));
}

}  // namespace
}  // namespace ferrite
