// How `ferrite top` evaluates two answers to Stats.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "client/cli/quantity.h"
#include "client/cli/top/activity.h"
#include "client/cli/top/top_report.h"

namespace ferrite::cli {
namespace {

using testing::HasSubstr;

const std::vector<double> kBounds = {10, 100, 1000};

TEST(QuantileTest, LiesWithinItsBucketByShare) {
  const std::vector<uint64_t> counts = {0, 100, 0, 0};
  EXPECT_DOUBLE_EQ(QuantileOf(kBounds, counts, 0.5)->us, 55);
  EXPECT_DOUBLE_EQ(QuantileOf(kBounds, counts, 1)->us, 100);
  EXPECT_DOUBLE_EQ(QuantileOf(kBounds, {0, 50, 50, 0}, 0.75)->us, 550);
}

TEST(QuantileTest, IsABoundInTheOuterBuckets) {
  EXPECT_TRUE(QuantileOf(kBounds, {5, 0, 0, 0}, 0.5)->or_less);
  EXPECT_EQ(QuantileOf(kBounds, {5, 0, 0, 0}, 0.5)->us, 10);
  EXPECT_TRUE(QuantileOf(kBounds, {0, 0, 0, 5}, 0.5)->or_more);
  EXPECT_EQ(QuantileOf(kBounds, {0, 0, 0, 5}, 0.5)->us, 1000);
  EXPECT_FALSE(QuantileOf(kBounds, {99, 0, 0, 1}, 0.99)->or_more);
}

TEST(QuantileTest, IsAbsentWithoutValues) {
  EXPECT_FALSE(QuantileOf(kBounds, {0, 0, 0, 0}, 0.5).has_value());
  EXPECT_FALSE(QuantileOf({}, {}, 0.5).has_value());
  EXPECT_FALSE(QuantileOf(kBounds, {1, 2}, 0.5).has_value());
}

v1::StatsResponse Answer(int64_t uptime_ms, uint64_t gets, uint64_t hits, uint64_t misses) {
  v1::StatsResponse stats;
  stats.set_uptime_ms(uptime_ms);
  stats.set_hits(hits);
  stats.set_misses(misses);
  stats.mutable_latency_bounds_us()->Add(kBounds.begin(), kBounds.end());
  v1::MethodStats* get = stats.add_methods();
  get->set_service("ferrite.v1.CacheService");
  get->set_method("Get");
  get->set_calls_started(gets);
  get->set_calls_ok(gets);
  get->set_keys_read(gets);
  get->set_bytes_sent(gets * 1024);
  for (const uint64_t count : {uint64_t{0}, gets, uint64_t{0}, uint64_t{0}}) {
    get->add_latency_counts(count);
  }
  stats.add_methods()->set_method("Set");
  (*stats.mutable_memory_bytes())["slots"] = 3 << 20;
  (*stats.mutable_memory_bytes())["table"] = 1 << 20;
  stats.set_memory_limit_bytes(16 << 20);
  stats.set_entries(1'234'567);
  return stats;
}

TEST(ActivityTest, IsWhatHappenedInBetweenPerSecond) {
  const Activity activity =
      ActivityBetween(Answer(10'000, 500, 100, 100), Answer(12'000, 2500, 400, 200));
  EXPECT_EQ(activity.interval, absl::Seconds(2));
  ASSERT_EQ(activity.methods.size(), 1u) << "Set was never called";
  const MethodActivity& get = activity.methods[0];
  EXPECT_EQ(get.method, "Get");
  EXPECT_DOUBLE_EQ(get.calls_per_second, 1000);
  EXPECT_DOUBLE_EQ(get.keys_per_second, 1000);
  EXPECT_DOUBLE_EQ(get.bytes_sent_per_second, 1024 * 1000);
  EXPECT_DOUBLE_EQ(get.p50->us, 55);
  EXPECT_DOUBLE_EQ(*activity.hit_ratio, 0.75);
  EXPECT_EQ(activity.memory_bytes, 4u << 20);
}

TEST(ActivityTest, OfNothingHasNoRatioAndNoQuantile) {
  const v1::StatsResponse same = Answer(10'000, 500, 100, 100);
  const Activity activity = ActivityBetween(same, same);
  EXPECT_FALSE(activity.hit_ratio.has_value());
  EXPECT_FALSE(activity.methods[0].p50.has_value());
  EXPECT_EQ(activity.methods[0].calls_per_second, 0);
}

TEST(ActivityTest, AfterARestartCountsFromIt) {
  const Activity activity = ActivityBetween(Answer(90'000, 5000, 9, 9), Answer(2'000, 100, 1, 0));
  EXPECT_EQ(activity.interval, absl::Seconds(2));
  EXPECT_DOUBLE_EQ(activity.methods[0].calls_per_second, 50);
  EXPECT_DOUBLE_EQ(*activity.hit_ratio, 1);
}

// Two services with a method of one name, called so often.
v1::StatsResponse Reflections(int64_t uptime_ms, uint64_t newer, uint64_t older) {
  v1::StatsResponse stats;
  stats.set_uptime_ms(uptime_ms);
  stats.mutable_latency_bounds_us()->Add(kBounds.begin(), kBounds.end());
  for (const auto& [service, calls] :
       {std::pair("grpc.reflection.v1.ServerReflection", newer),
        std::pair("grpc.reflection.v1alpha.ServerReflection", older)}) {
    v1::MethodStats* method = stats.add_methods();
    method->set_service(service);
    method->set_method("ServerReflectionInfo");
    method->set_calls_started(calls);
    for (const uint64_t count : {calls, uint64_t{0}, uint64_t{0}, uint64_t{0}}) {
      method->add_latency_counts(count);
    }
  }
  return stats;
}

TEST(ActivityTest, TellsMethodsOfOneNameApart) {
  const Activity activity = ActivityBetween(Reflections(1'000, 100, 7), Reflections(2'000, 140, 9));
  ASSERT_EQ(activity.methods.size(), 2u);
  EXPECT_EQ(activity.methods[0].service, "grpc.reflection.v1.ServerReflection");
  EXPECT_DOUBLE_EQ(activity.methods[0].calls_per_second, 40);
  EXPECT_EQ(activity.methods[1].service, "grpc.reflection.v1alpha.ServerReflection");
  EXPECT_DOUBLE_EQ(activity.methods[1].calls_per_second, 2);
  const std::string text = RenderTop("host:1", activity, {.columns = 120});
  EXPECT_THAT(text, HasSubstr("v1.ServerReflectionInfo"));
  EXPECT_THAT(text, HasSubstr("v1alpha.ServerReflect"));
  EXPECT_EQ(TopJson("host:1", activity)["methods"].size(), 2u);
}

TEST(TopReportTest, TellsItInLines) {
  const std::string text =
      RenderTop("host:1", ActivityBetween(Answer(0, 0, 0, 0), Answer(1'000, 2000, 3, 1)));
  EXPECT_THAT(text, HasSubstr("host:1  up 1s"));
  EXPECT_THAT(text, HasSubstr("entries 1,234,567   memory 4.0 MiB of 16.0 MiB (25.0%)"));
  EXPECT_THAT(text, HasSubstr("hits 75.00%"));
  EXPECT_THAT(text, testing::ContainsRegex("Get +2,000 +0 +2,000 +0 B +2.0 MiB +55 us +99 us"));
}

TEST(TopReportTest, FitsEveryWidth) {
  v1::StatsResponse before = Answer(0, 0, 0, 0);
  v1::StatsResponse after = Answer(1'000, 2'000'000'000, 3, 1);
  after.mutable_methods(1)->set_method("AMethodWithAVeryLongName");
  after.mutable_methods(1)->set_calls_started(1);
  const Activity activity = ActivityBetween(before, after);
  for (int columns = 1; columns <= 200; ++columns) {
    const std::string text = RenderTop("host:1", activity, {.columns = columns, .rows = 24});
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      // Below this not even a name and the calls fit.
      EXPECT_LE(line.size(), static_cast<size_t>(std::max(columns, 19))) << line;
    }
    EXPECT_THAT(text, HasSubstr("calls/s"));
    EXPECT_EQ(text.find("in B/s") != std::string::npos, columns >= 74) << columns;
  }
  EXPECT_THAT(RenderTop("host:1", activity, {.columns = 80}),
              HasSubstr("  calls/s  errors   keys/s    in B/s   out B/s      p50      p99"));
  EXPECT_THAT(RenderTop("host:1", activity, {.columns = 80}), HasSubstr(" 2G "));
  after.mutable_methods(0)->set_latency_counts(1, 20'000'000);
  EXPECT_THAT(RenderTop("host:1", ActivityBetween(before, after), {.columns = 100}),
              HasSubstr(" 20,000,000 "));
}

TEST(TopReportTest, IsNoTallerThanTheTerminal) {
  const Activity activity = ActivityBetween(Answer(0, 0, 0, 0), Answer(1'000, 2000, 3, 1));
  const std::string text = RenderTop("host:1", activity, {.columns = 80, .rows = 4});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(TopReportTest, TellsItInJson) {
  const Activity activity = ActivityBetween(Answer(0, 0, 0, 0), Answer(1'000, 2000, 0, 0));
  const nlohmann::ordered_json json = TopJson("host:1", activity);
  EXPECT_EQ(json["hit_ratio"], nullptr);
  EXPECT_EQ(json["methods"][0]["method"], "Get");
  EXPECT_EQ(json["methods"][0]["service"], "ferrite.v1.CacheService");
  EXPECT_EQ(json["methods"][0]["calls"], 2000);
  EXPECT_EQ(json["methods"][0]["p50_us"], 55);
}

TEST(QuantityTest, IsForPeople) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1'234'567), "1,234,567");
  EXPECT_EQ(ShortCount(999'999), "999,999");
  EXPECT_EQ(ShortCount(1'000'000), "1M");
  EXPECT_EQ(ShortCount(1'234'567), "1.23M");
  EXPECT_EQ(ShortCount(999'600'000), "1G");
  EXPECT_EQ(ShortCount(UINT64_MAX), "18.4E");
  EXPECT_EQ(RenderRate(0), "0");
  EXPECT_EQ(RenderRate(0.01), "<0.1");
  EXPECT_EQ(RenderRate(9.96), "10.0");
  EXPECT_EQ(RenderRate(1234.4), "1,234");
  EXPECT_EQ(RenderShare(1, 3), "33.3%");
  EXPECT_EQ(RenderShare(0, 0), "0%");
  EXPECT_EQ(RenderMicroseconds(12), "12 us");
  EXPECT_EQ(RenderMicroseconds(9800), "9.8 ms");
  EXPECT_EQ(RenderMicroseconds(1'230'000), "1.23 s");
}

}  // namespace
}  // namespace ferrite::cli
