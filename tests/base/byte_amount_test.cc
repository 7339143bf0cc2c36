#include "base/byte_amount.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrite {
namespace {

using testing::HasSubstr;

constexpr uint64_t kKiB = uint64_t{1} << 10;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(ByteAmount, EveryUnitIsUnderstoodAsPeopleWriteIt) {
  for (const char* text : {"512MiB", "512Mi", "512MB", "512M", "512mib", "512mi", "512mb", "512m",
                           "512MIB", "536870912", "536870912B", "536870912b", "0.5GiB", "0.5g",
                           "524288k", "524288KiB", "524288kb"}) {
    EXPECT_EQ(ParseByteAmount(text).value_or(0), 512 * kMiB) << text;
  }
  EXPECT_EQ(*ParseByteAmount("2gb"), 2 * kGiB);
  EXPECT_EQ(*ParseByteAmount("1g"), kGiB);
  EXPECT_EQ(*ParseByteAmount("1Ti"), 1024 * kGiB);
  EXPECT_EQ(*ParseByteAmount("0"), 0u);
}

TEST(ByteAmount, FractionsOfAUnitAreExact) {
  EXPECT_EQ(*ParseByteAmount("1.5GiB"), kGiB + kGiB / 2);
  EXPECT_EQ(*ParseByteAmount("0.001k"), 1u);
  EXPECT_EQ(*ParseByteAmount("0.125T"), 128 * kGiB);
  EXPECT_EQ(*ParseByteAmount("1.0000000000000000000000000001k"), 1024u);
  EXPECT_EQ(*ParseByteAmount("15.999999999999t") >> 40, 15u);
}

TEST(ByteAmount, RefusesWhatIsNoAmount) {
  for (const char* text : {"",
                           " ",
                           "GiB",
                           "-1",
                           "+1",
                           "1XiB",
                           "1GiBs",
                           "1 GiB",
                           " 1GiB",
                           "1GiB ",
                           "1.5",
                           "1.5B",
                           "1.g",
                           ".5g",
                           "1..5g",
                           "1.5.5g",
                           "1,5g",
                           "0x10",
                           "1e9",
                           "nan",
                           "inf",
                           "NaNMiB",
                           "1iB",
                           "1bi",
                           "1kk",
                           "1kbib",
                           "1PiB",
                           "99999999999999999999",
                           "16777216TiB",
                           "99999999999TiB"}) {
    EXPECT_FALSE(ParseByteAmount(text).ok()) << text;
  }
}

TEST(ByteAmount, TheGreatestIsJustBelow16EiB) {
  EXPECT_EQ(*ParseByteAmount("18446744073709551615"), ~uint64_t{0});
  EXPECT_THAT(std::string(ParseByteAmount("18446744073709551616").status().message()),
              HasSubstr("'18446744073709551616' is not below 16 EiB"));
  EXPECT_EQ(*ParseByteAmount("16777215TiB"), ~uint64_t{0} - (uint64_t{1} << 40) + 1);
}

TEST(ByteAmount, SaysWhatMayBeWritten) {
  EXPECT_THAT(std::string(ParseByteAmount("1 GiB").status().message()),
              testing::AllOf(HasSubstr("'1 GiB' is not an amount of memory such as 512MiB"),
                             HasSubstr("each 1024 times the one before")));
}

TEST(RenderBytes, TakesTheLargestUnit) {
  EXPECT_EQ(RenderBytes(0), "0B");
  EXPECT_EQ(RenderBytes(1023), "1023B");
  EXPECT_EQ(RenderBytes(64 * kKiB), "64KiB");
  EXPECT_EQ(RenderBytes(3 * kGiB / 2), "1.50GiB");
  EXPECT_EQ(RenderBytes(~uint64_t{0}), "16777216.00TiB");
}

TEST(RoundedBytes, HaveOneDigitAfterThePoint) {
  EXPECT_EQ(RoundedBytes(0), "0 B");
  EXPECT_EQ(RoundedBytes(1023), "1023 B");
  EXPECT_EQ(RoundedBytes(1536), "1.5 KiB");
  EXPECT_EQ(RoundedBytes(3.0 * (1 << 30)), "3.0 GiB");
}

}  // namespace
}  // namespace ferrite
