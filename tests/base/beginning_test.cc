#include "base/beginning.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

TEST(Beginning, EndsWithAWholeLetter) {
  EXPECT_EQ(Beginning("", 3), "");
  EXPECT_EQ(Beginning("abc", 3), "abc");
  EXPECT_EQ(Beginning("abcd", 3), "abc");
  EXPECT_EQ(Beginning("ab\u00e9", 3), "ab");
  EXPECT_EQ(Beginning("ab\u00e9", 4), "ab\u00e9");
  EXPECT_EQ(Beginning("\U0001f511", 3), "");
}

TEST(Beginning, OfBytesThatAreNoTextIsAboutAsLong) {
  EXPECT_EQ(Beginning(std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80", 8), 6).size(), 2u);
}

}  // namespace
}  // namespace ferrite
