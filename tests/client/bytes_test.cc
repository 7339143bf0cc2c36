#include "client/cli/bytes.h"

#include <gtest/gtest.h>

#include "client/cli/options.h"

namespace ferrite::cli {
namespace {

using namespace std::string_literals;

TEST(Utf8Test, TakesWhatIsWellFormed) {
  for (const std::string& text :
       {""s, "plain"s, "\0"s, "ключ"s, "\u20ac"s, "\U0001F600"s, "\U0010FFFF"s}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(Utf8Test, RefusesWhatIsNot) {
  EXPECT_FALSE(IsUtf8("\xff"));
  EXPECT_FALSE(IsUtf8("\x80"));              // a continuation on its own
  EXPECT_FALSE(IsUtf8("\xc3"));              // cut off
  EXPECT_FALSE(IsUtf8("\xe2\x82"));          // cut off
  EXPECT_FALSE(IsUtf8("\xc3("));             // not continued
  EXPECT_FALSE(IsUtf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(IsUtf8("\xe0\x80\xaf"));      // overlong
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(IsUtf8("\xf8\x88\x80\x80\x80"));
}

TEST(JsonBytesTest, TextStaysText) {
  EXPECT_EQ(JsonBytes("ключ").dump(), "\"ключ\"");
  EXPECT_EQ(JsonBytes("a\"b\n"s + "\0"s).dump(), R"("a\"b\n\u0000")");
  EXPECT_EQ(JsonBytes("").dump(), "\"\"");
}

TEST(JsonBytesTest, OtherBytesBecomeBase64) {
  EXPECT_EQ(JsonBytes("\xff\xfe").dump(), R"({"base64":"//4="})");
}

TEST(JsonBytesTest, EveryByteCanBeReadBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  const nlohmann::json json = nlohmann::json::parse(JsonBytes(bytes).dump());
  EXPECT_EQ(*DecodeArgument(json["base64"].get<std::string>(), true), bytes);
}

TEST(DisplayTextTest, LeavesReadableTextAlone) {
  EXPECT_EQ(DisplayText("a b/ключ \u20ac"), "a b/ключ \u20ac");
}

TEST(DisplayTextTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(DisplayText("a\nb\tc\rd\\e"), R"(a\nb\tc\rd\\e)");
  EXPECT_EQ(DisplayText("\x1b[31m"), R"(\x1b[31m)");
  EXPECT_EQ(DisplayText("\x7f"), R"(\x7f)");
  EXPECT_EQ(DisplayText("\u009b"), R"(\xc2\x9b)");
  EXPECT_EQ(DisplayText("\0"s), R"(\x00)");
}

TEST(DisplayTextTest, EscapesBytesThatAreNoText) {
  EXPECT_EQ(DisplayText("a\xff\xc3"), R"(a\xff\xc3)");
}

TEST(DecodeArgumentTest, TakesTextOrBase64) {
  EXPECT_EQ(*DecodeArgument("YWI=", false), "YWI=");
  EXPECT_EQ(*DecodeArgument("YWI=", true), "ab");
  EXPECT_EQ(*DecodeArgument("", true), "");
  EXPECT_EQ(*DecodeArgument("AP8=", true), "\0\xff"s);
  EXPECT_FALSE(DecodeArgument("not base64!", true).ok());
}

TEST(ProtectArgumentTest, IsUndone) {
  for (const std::string& text : {""s, "["s, "]"s, "[]"s, "[1,2]"s, "[a"s, "a]"s, "-0"s, "-0.5"s,
                                  "-5"s, "\0"s, "\0\0"s, "\0a"s, "a\0"s, "\0[]\0"s}) {
    EXPECT_EQ(UnprotectArgument(ProtectArgument(text)), text);
  }
  for (const std::string& text : {"[1,2]"s, "-0.5"s, "\0a\0"s}) {
    EXPECT_EQ(ProtectArgument(text).front(), '\0') << text;
  }
  EXPECT_EQ(ProtectArgument("-0"), "-0") << "the option";
  EXPECT_EQ(ProtectArgument("--key=[1]"), "--key=\0[1]\0"s);
}

TEST(DisplayTextTest, IsReadBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const std::string& bytes : {all, "a\\n"s, "ключ"s, "\xc2\x85"s, ""s}) {
    EXPECT_EQ(*FromDisplayText(DisplayText(bytes)), bytes);
  }
  for (const char* text : {"\\", "\\q", "\\x", "\\x1", "\\xgg", "a\\"}) {
    EXPECT_EQ(FromDisplayText(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace ferrite::cli
