// Globs, against an oracle that tries every way.

#include "server/events/glob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace ferrite {
namespace {

bool Matches(std::string_view pattern, std::string_view name) {
  const std::optional<Glob> glob = Glob::Parse(pattern);
  EXPECT_TRUE(glob.has_value()) << pattern;
  return glob->Matches(name);
}

TEST(GlobTest, StandsForItself) {
  EXPECT_TRUE(Matches("orders", "orders"));
  EXPECT_FALSE(Matches("orders", "order"));
  EXPECT_FALSE(Matches("orders", "orders2"));
  EXPECT_TRUE(Glob::Parse("orders")->IsLiteral());
}

TEST(GlobTest, StarTakesAnyBytesOrNone) {
  EXPECT_TRUE(Matches("orders.*", "orders."));
  EXPECT_TRUE(Matches("orders.*", "orders.eu.1"));
  EXPECT_FALSE(Matches("orders.*", "orders"));
  EXPECT_TRUE(Matches("*.created", "a.b.created"));
  EXPECT_FALSE(Matches("*.created", "a.created.b"));
  EXPECT_TRUE(Matches("*", ""));
  EXPECT_TRUE(Matches("a*b*c", "axxbyyc"));
  EXPECT_FALSE(Matches("a*b*c", "acb"));
  EXPECT_FALSE(Glob::Parse("orders.*")->IsLiteral());
}

TEST(GlobTest, QuestionMarkTakesOneByte) {
  EXPECT_TRUE(Matches("shard-?", "shard-7"));
  EXPECT_FALSE(Matches("shard-?", "shard-"));
  EXPECT_FALSE(Matches("shard-?", "shard-12"));
  EXPECT_TRUE(Matches("?*", "x"));
  EXPECT_FALSE(Matches("?*", ""));
}

TEST(GlobTest, ClassTakesOneOfItsBytes) {
  EXPECT_TRUE(Matches("user:[0-9]*", "user:42"));
  EXPECT_FALSE(Matches("user:[0-9]*", "user:x"));
  EXPECT_TRUE(Matches("[^a-c]x", "dx"));
  EXPECT_FALSE(Matches("[^a-c]x", "bx"));
  EXPECT_TRUE(Matches("[a\\]]", "]"));
  EXPECT_TRUE(Matches("[a-]", "-"));
  EXPECT_TRUE(Matches(std::string("[\x80-\xff]"), "\xc3"));
}

TEST(GlobTest, BackslashTakesTheNextByteAsItIs) {
  EXPECT_TRUE(Matches("a\\*b", "a*b"));
  EXPECT_FALSE(Matches("a\\*b", "axb"));
  EXPECT_TRUE(Glob::Parse("a\\*b")->IsLiteral());
}

TEST(GlobTest, RefusesWhatHasNoMeaning) {
  for (const char* pattern : {"[", "[a", "[]", "[^]", "[z-a]", "a\\", "[a\\"}) {
    EXPECT_FALSE(Glob::Parse(pattern).has_value()) << pattern;
  }
}

TEST(GlobTest, KnowsWhatEveryMatchBeginsWith) {
  EXPECT_EQ(Glob::Parse("orders.*.eu")->literal_prefix(), "orders.");
  EXPECT_EQ(Glob::Parse("[o]rders?")->literal_prefix(), "orders");
  EXPECT_EQ(Glob::Parse("*")->literal_prefix(), "");
}

TEST(GlobTest, KnowsWhatEveryMatchContains) {
  using testing::ElementsAre;
  EXPECT_THAT(Glob::Parse("orders.*.eu")->parts(), ElementsAre("orders.", ".eu"));
  EXPECT_THAT(Glob::Parse("*a[b]?cd*e")->parts(), ElementsAre("ab", "cd", "e"));
  EXPECT_THAT(Glob::Parse("*0123456789?")->parts(), ElementsAre("23456789"));
  EXPECT_THAT(Glob::Parse("a*b*c*d*e")->parts(), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(Glob::Parse("*?[ab]")->parts(), ElementsAre(""));
}

// Every state word is in use, and more than one state at a time.
TEST(GlobTest, TakesPatternsAndNamesOfAnyLength) {
  std::string pattern;
  for (int i = 0; i < 63; ++i) pattern += "*a?b";
  std::string name;
  for (int i = 0; i < 500; ++i) name += "aab";
  EXPECT_TRUE(Matches(pattern, name));
  EXPECT_FALSE(Matches(pattern + "c", name));
}

// With backtracking this takes longer than anybody waits.
TEST(GlobTest, HasNoPatternThatTakesLong) {
  std::string pattern;
  for (int i = 0; i < 127; ++i) pattern += "a*";
  pattern += "b";
  EXPECT_FALSE(Matches(pattern, std::string(100'000, 'a')));
}

// Tries every way; without classes.
bool Oracle(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return Oracle(pattern.substr(1), name) || (!name.empty() && Oracle(pattern, name.substr(1)));
  }
  if (name.empty() || (pattern[0] != '?' && pattern[0] != name[0])) return false;
  return Oracle(pattern.substr(1), name.substr(1));
}

TEST(GlobTest, AgreesWithTheOracle) {
  std::mt19937 random(1);
  const auto text = [&random](std::string_view alphabet, size_t most) {
    std::string made(random() % (most + 1), '\0');
    for (char& c : made) c = alphabet[random() % alphabet.size()];
    return made;
  };
  int matches = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string pattern = text("ab?*", 8);
    const std::string name = text("ab", 8);
    const bool expected = Oracle(pattern, name);
    matches += expected;
    ASSERT_EQ(Matches(pattern, name), expected) << pattern << " and " << name;
  }
  EXPECT_GT(matches, 10'000);
}

}  // namespace
}  // namespace ferrite
