// What `ferrite stats` tells.

#include "client/cli/stats/stats_report.h"

#include <gmock/gmock.h>

#include "absl/strings/str_split.h"

namespace ferrite::cli {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

v1::StatsResponse Stats() {
  v1::StatsResponse stats;
  stats.set_uptime_ms(100'000);
  stats.set_entries(1'234'567);
  (*stats.mutable_memory_bytes())["slots"] = 3 << 20;
  (*stats.mutable_memory_bytes())["table"] = 1 << 20;
  (*stats.mutable_memory_bytes())["blocks"] = 0;
  stats.set_memory_limit_bytes(16 << 20);
  stats.set_hits(900);
  stats.set_misses(100);
  stats.set_connections(3);
  stats.set_inflight_requests(1);
  for (const double bound : {10, 100, 1000}) stats.add_latency_bounds_us(bound);
  const auto add = [&](const char* service, const char* method, uint64_t calls) {
    v1::MethodStats* entry = stats.add_methods();
    entry->set_service(service);
    entry->set_method(method);
    entry->set_calls_started(calls);
    entry->set_calls_ok(calls);
    for (const uint64_t count : {uint64_t{0}, calls, uint64_t{0}, uint64_t{0}}) {
      entry->add_latency_counts(count);
    }
  };
  add("ferrite.v1.CacheService", "Get", 12'345'678);
  add("ferrite.v1.CacheService", "Set", 0);
  add("grpc.health.v1.Health", "Check", 10);
  add("a.service.of.Tomorrow", "Check", 20);
  return stats;
}

TEST(StatsReportTest, TellsWhatIsNotZeroToPeople) {
  const std::string text = RenderStats("host:1", Stats(), /*all=*/false);
  EXPECT_THAT(text,
              AllOf(HasSubstr("host:1, up 1m40s"),
                    HasSubstr("[=====>              ] 25.0%, 4.0 MiB of 16.0 MiB"),
                    HasSubstr("slots 3.0 MiB, table 1.0 MiB\n"), HasSubstr("1,234,567 (3 B each)"),
                    HasSubstr("1,000 (10/s)"), HasSubstr("90.0%, 900 and 100 misses")));
  EXPECT_THAT(text, HasSubstr("grpc.health.v1.Health\n"));
  EXPECT_THAT(text, ContainsRegex("  Get +12.3M +0 +123,457 +0 B +0 B +99 us"));
  EXPECT_THAT(text, ContainsRegex("grpc.health.v1.Health\n.*\n  Check +10 +0 +0.1 "));
  EXPECT_THAT(text, ContainsRegex("a.service.of.Tomorrow\n.*\n  Check +20 +0 +0.2 "));
  for (const char* zero : {"blocks", "evictions", "expired", "slow calls", "  Set", "in flight"}) {
    EXPECT_THAT(text, Not(HasSubstr(zero)));
  }
}

TEST(StatsReportTest, TellsAllIfAsked) {
  const std::string text = RenderStats("host:1", Stats(), /*all=*/true);
  for (const char* zero :
       {"blocks 0 B", "evictions    0 (0/s)", "expired", "slow calls", "  Set", "in flight"}) {
    EXPECT_THAT(text, HasSubstr(zero));
  }
}

TEST(StatsReportTest, FitsInto80Columns) {
  v1::StatsResponse stats = Stats();
  for (const char* purpose : {"blocks", "eviction", "slots", "table"}) {
    (*stats.mutable_memory_bytes())[purpose] = 1'020'000'000;
  }
  for (const absl::string_view line : absl::StrSplit(RenderStats("host:1", stats, true), '\n')) {
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(StatsReportTest, OfAnEmptyServerDividesByNothing) {
  const std::string text = RenderStats("host:1", v1::StatsResponse(), /*all=*/true);
  EXPECT_THAT(text, AllOf(HasSubstr("no limit"), Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
}

TEST(StatsReportTest, TellsProgramsTheService) {
  const nlohmann::ordered_json json = StatsJson(Stats());
  EXPECT_EQ(json["methods"][2]["service"], "grpc.health.v1.Health");
  EXPECT_EQ(json["methods"][2]["method"], "Check");
  EXPECT_EQ(json["methods"][3]["service"], "a.service.of.Tomorrow");
  EXPECT_EQ(json["uptime_ms"], 100'000);
}

}  // namespace
}  // namespace ferrite::cli
