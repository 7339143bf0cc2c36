#include "client/cli/duration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrite::cli {
namespace {

using testing::HasSubstr;

TEST(ParseDurationTest, ReadsEveryUnit) {
  EXPECT_EQ(*ParseDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseDuration("30s"), absl::Seconds(30));
  EXPECT_EQ(*ParseDuration("5m"), absl::Minutes(5));
  EXPECT_EQ(*ParseDuration("2h"), absl::Hours(2));
  EXPECT_EQ(*ParseDuration("7d"), absl::Hours(7 * 24));
  EXPECT_EQ(*ParseDuration("250us"), absl::Microseconds(250));
  EXPECT_EQ(*ParseDuration("3ns"), absl::Nanoseconds(3));
}

TEST(ParseDurationTest, ReadsSumsAndFractions) {
  EXPECT_EQ(*ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("1.5s"), absl::Milliseconds(1500));
  EXPECT_EQ(*ParseDuration("1d2h3m4s5ms"),
            absl::Hours(26) + absl::Minutes(3) + absl::Seconds(4) + absl::Milliseconds(5));
}

TEST(ParseDurationTest, ReadsWhatOnlyTheServerMayRefuse) {
  EXPECT_EQ(*ParseDuration("0s"), absl::ZeroDuration());
  EXPECT_EQ(*ParseDuration("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseDuration("-5s"), absl::Seconds(-5));
  EXPECT_EQ(*ParseDuration("40000d"), absl::Hours(24 * 40000));
}

TEST(ParseDurationTest, RefusesWhatIsNone) {
  for (const char* text :
       {"", "-", "5", "s", "5 s", " 5s", "5s ", "5x", "5S", "1.2.3s", "5s3", "..s", "--5s", "5s-3s",
        "1e3s", "infs", "99999999999999999999d", "nan", "0x10s"}) {
    const auto duration = ParseDuration(text);
    EXPECT_EQ(duration.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_THAT(ParseDuration("soon").status().message(),
              HasSubstr("\"soon\" is not a duration such as"));
  EXPECT_THAT(ParseDuration("5").status().message(), HasSubstr("\"5\" has no unit"));
  EXPECT_EQ(ParseDuration("1h1h").status().message(), "\"1h1h\" has the unit h twice");
  EXPECT_THAT(ParseDuration("400000d").status().message(), HasSubstr("longer than 1,000 years"));
}

TEST(RenderDurationTest, TakesTheLeadingUnits) {
  EXPECT_EQ(RenderDuration(absl::ZeroDuration()), "0ms");
  EXPECT_EQ(RenderDuration(absl::Milliseconds(999)), "999ms");
  EXPECT_EQ(RenderDuration(absl::Milliseconds(29873)), "29.87s");
  EXPECT_EQ(RenderDuration(absl::Seconds(30)), "30s");
  EXPECT_EQ(RenderDuration(absl::Seconds(90)), "1m30s");
  EXPECT_EQ(RenderDuration(absl::Hours(2)), "2h");
  EXPECT_EQ(RenderDuration(absl::Hours(50)), "2d2h");
  EXPECT_EQ(RenderDuration(absl::Hours(24 * 36500)), "36500d");
}

}  // namespace
}  // namespace ferrite::cli
