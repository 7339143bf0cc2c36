#include "server/slowlog/trace_parent.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";

TEST(TraceParent, IsReadWhenItIsValid) {
  for (const std::string& text : {
           "00-" + kTrace + "-" + kSpan + "-01",
           "00-" + kTrace + "-" + kSpan + "-00",
           "00-" + kTrace + "-" + kSpan + "-ff",
           // Of a later version only the beginning is known.
           "01-" + kTrace + "-" + kSpan + "-01",
           "cc-" + kTrace + "-" + kSpan + "-01-what.the.future.brings",
           "fe-" + kTrace + "-" + kSpan + "-01-",
       }) {
    const std::optional<TraceParent> parent = ParseTraceParent(text);
    ASSERT_TRUE(parent.has_value()) << text;
    EXPECT_EQ(parent->trace_id(), kTrace);
    EXPECT_EQ(parent->span_id(), kSpan);
  }
}

TEST(TraceParent, IsIgnoredWhenAnythingIsWrong) {
  const std::string zeros32(32, '0'), zeros16(16, '0');
  std::string upper = kTrace;
  upper[1] = 'B';
  std::string with_nul = "00-" + kTrace + "-" + kSpan + "-01";
  with_nul[10] = '\0';
  for (const std::string& text : {
           std::string(),
           std::string("00"),
           std::string(55, '-'),
           "00-" + kTrace + "-" + kSpan,            // no flags
           "00-" + kTrace + "-" + kSpan + "-0",     // flags too short
           "00-" + kTrace + "-" + kSpan + "-001",   // too long
           "00-" + kTrace + "-" + kSpan + "-01-",   // version 00 has no more
           "00-" + kTrace + "-" + kSpan + "-01 ",   // blank
           " 00-" + kTrace + "-" + kSpan + "-01",   //
           "ff-" + kTrace + "-" + kSpan + "-01",    // a version that is not allowed
           "0-" + kTrace + "-" + kSpan + "-001",    // shifted
           "0x-" + kTrace + "-" + kSpan + "-01",    // version is no number
           "00-" + zeros32 + "-" + kSpan + "-01",   // no trace
           "00-" + kTrace + "-" + zeros16 + "-01",  // no span
           "00-" + upper + "-" + kSpan + "-01",     // upper case
           "00-" + kTrace.substr(1) + "g-" + kSpan + "-01",
           "00-" + kTrace + "-" + kSpan + "-0G",
           "00_" + kTrace + "-" + kSpan + "-01",
           "00-" + kTrace + "_" + kSpan + "-01",
           "00-" + kTrace + "-" + kSpan + "_01",
           "01-" + kTrace + "-" + kSpan + "-01.more",  // no dash before what is more
           with_nul,
       }) {
    EXPECT_FALSE(ParseTraceParent(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace ferrite
