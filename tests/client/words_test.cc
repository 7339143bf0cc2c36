// How a line of commands becomes words.

#include "client/cli/prompt/words.h"

#include <gmock/gmock.h>

namespace ferrite::cli {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitWordsTest, SplitsAtBlanks) {
  EXPECT_THAT(*SplitWords(""), IsEmpty());
  EXPECT_THAT(*SplitWords(" \t\r"), IsEmpty());
  EXPECT_THAT(*SplitWords("  get \t k\r"), ElementsAre("get", "k"));
}

TEST(SplitWordsTest, KeepsWhatIsQuoted) {
  EXPECT_THAT(*SplitWords(R"(set 'a b' "c d")"), ElementsAre("set", "a b", "c d"));
  EXPECT_THAT(*SplitWords(R"(set '' "")"), ElementsAre("set", "", ""));
  EXPECT_THAT(*SplitWords(R"(a'b'"c"d)"), ElementsAre("abcd"));
  EXPECT_THAT(*SplitWords(R"('a\n"')"), ElementsAre(R"(a\n")"));
  EXPECT_THAT(*SplitWords(R"("a\n\"\\\x00\xff'")"), ElementsAre("a\n\"\\\0\xff'"s));
  EXPECT_THAT(*SplitWords(R"(a\ b \'c \\)"), ElementsAre("a b", "'c", "\\"));
}

TEST(SplitWordsTest, LeavesCommentsOut) {
  EXPECT_THAT(*SplitWords("  # get k"), IsEmpty());
  EXPECT_THAT(*SplitWords("get #k"), ElementsAre("get", "#k"));
}

TEST(SplitWordsTest, RefusesWhatIsNotClosed) {
  for (const char* line :
       {"get 'k", "get \"k", "get \"k\\", "get k\\", R"(get "\q")", R"("\x1")"}) {
    EXPECT_EQ(SplitWords(line).status().code(), absl::StatusCode::kInvalidArgument) << line;
  }
}

}  // namespace
}  // namespace ferrite::cli
