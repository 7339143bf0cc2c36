// Lines that fit.

#include "client/cli/fold.h"

#include <gmock/gmock.h>

#include "client/cli/slowlog_report.h"

namespace ferrite::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(FoldTest, FillsLines) {
  EXPECT_THAT(Folded({"aa", "bb", "cc", "d"}, ", ", 6), ElementsAre("aa, bb", "cc, d"));
  EXPECT_THAT(Folded({"aa", "bb"}, " ", 6, "  "), ElementsAre("  aa", "  bb"));
  EXPECT_THAT(Folded({"a", "long long long", "b"}, " ", 5),
              ElementsAre("a", "long long long", "b"));
  EXPECT_THAT(Folded({}, " ", 5), ElementsAre());
}

v1::SlowCall Call() {
  v1::SlowCall call;
  call.set_id(12'345);
  call.set_unix_ms(1'700'000'000'000);
  call.set_service("ferrite.v1.AdminService");
  call.set_method("FlushWithProgress");
  call.set_key("user:1");
  call.set_keys(1'024);
  call.set_queue_us(999'999);
  call.set_execute_us(999'999);
  call.set_request_bytes(1'020'000);
  call.set_response_bytes(1'020'000);
  call.set_peer("ipv6:[2001:db8:85a3:1234:5678:8a2e:370:7334]:51234");
  call.set_code(3);
  call.set_trace_id(std::string(32, 'a'));
  call.add_operation_traces();
  call.add_operation_traces();
  return call;
}

TEST(SlowLogRowTest, FitsATerminalAndLosesNothing) {
  const std::string row = SlowLogRow(Call(), 80) + "\n";
  EXPECT_LE(SlowLogHeading(80).size(), 80u);
  for (size_t begin = 0; begin < row.size(); begin = row.find('\n', begin) + 1) {
    EXPECT_LE(row.find('\n', begin) - begin, 80u) << row;
  }
  for (const char* part : {"12345", "FlushWithProgress", "1000.0 ms", "1,024", "996.1 KiB",
                           "ipv6:[2001", "key user:1", "INVALID_ARGUMENT", "aaa and 1 more"}) {
    EXPECT_THAT(row, HasSubstr(part));
  }
}

TEST(SlowLogRowTest, IsOneLineForOtherPrograms) {
  const std::string row = SlowLogRow(Call(), std::nullopt);
  EXPECT_EQ(row.find('\n'), std::string::npos);
  EXPECT_THAT(row, HasSubstr("key user:1  INVALID_ARGUMENT  trace aaa"));
  EXPECT_EQ(SlowCallJson(Call())["service"], "ferrite.v1.AdminService");
}

}  // namespace
}  // namespace ferrite::cli
