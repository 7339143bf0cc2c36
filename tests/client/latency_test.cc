#include "client/cli/bench/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>

namespace ferrite::cli {
namespace {

TEST(LatencyBucketTest, BucketsAreContiguousAndAscending) {
  size_t bucket = 0;
  for (uint64_t ns = 0; ns < 1'000'000; ++ns) {
    const size_t next = LatencyBucketOf(ns);
    ASSERT_TRUE(next == bucket || next == bucket + 1) << ns;
    bucket = next;
    ASSERT_LE(ns, GreatestIn(next)) << ns;
  }
}

TEST(LatencyBucketTest, ABucketEndsWhereTheNextBegins) {
  for (size_t bucket = 0; bucket + 1 < kLatencyBuckets; ++bucket) {
    ASSERT_EQ(LatencyBucketOf(GreatestIn(bucket)), bucket);
    ASSERT_EQ(LatencyBucketOf(GreatestIn(bucket) + 1), bucket + 1);
  }
}

TEST(LatencyBucketTest, EveryValueHasABucket) {
  EXPECT_EQ(LatencyBucketOf(UINT64_MAX), kLatencyBuckets - 1);
}

TEST(LatencyBucketTest, BucketsAreWithinOnePercent) {
  for (uint64_t ns = 1; ns < uint64_t{1} << 62; ns = ns * 3 / 2 + 1) {
    const auto error = static_cast<double>(GreatestIn(LatencyBucketOf(ns)) - ns);
    EXPECT_LE(error / static_cast<double>(ns), 0.01) << ns;
  }
}

TEST(LatenciesTest, NothingRecordedIsZero) {
  const Latencies latencies;
  EXPECT_EQ(latencies.count(), 0u);
  EXPECT_EQ(latencies.Percentile(0.5), absl::ZeroDuration());
  EXPECT_EQ(latencies.max(), absl::ZeroDuration());
}

TEST(LatenciesTest, OneValueIsEveryPercentile) {
  LatencyRecorder recorder;
  recorder.Record(absl::Nanoseconds(123'457));
  Latencies latencies;
  latencies.Add(recorder);
  for (const double share : {0.001, 0.5, 0.999, 1.0}) {
    EXPECT_EQ(latencies.Percentile(share), absl::Nanoseconds(123'457));
  }
}

TEST(LatenciesTest, PercentilesAgreeWithASortedList) {
  LatencyRecorder recorder;
  std::vector<int64_t> values;
  std::mt19937_64 generator(1);
  std::lognormal_distribution<double> distribution(11, 1.5);
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(static_cast<int64_t>(distribution(generator)));
    recorder.Record(absl::Nanoseconds(values.back()));
  }
  Latencies latencies;
  latencies.Add(recorder);
  std::sort(values.begin(), values.end());
  EXPECT_EQ(latencies.count(), values.size());
  EXPECT_EQ(latencies.max(), absl::Nanoseconds(values.back()));
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto exact = static_cast<double>(values[static_cast<size_t>(share * values.size()) - 1]);
    const auto found = static_cast<double>(absl::ToInt64Nanoseconds(latencies.Percentile(share)));
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found, exact * 1.01) << share;
  }
}

TEST(LatenciesTest, SumsAndDifferencesCount) {
  LatencyRecorder recorder;
  recorder.Record(absl::Milliseconds(1));
  Latencies before;
  before.Add(recorder);
  recorder.Record(absl::Milliseconds(100));
  Latencies after;
  after.Add(recorder);
  after.Subtract(before);
  EXPECT_EQ(after.count(), 1u);
  EXPECT_EQ(after.Percentile(0.01), absl::Milliseconds(100));
  after.Add(before);
  EXPECT_EQ(after.count(), 2u);
  EXPECT_LE(after.Percentile(0.5), absl::Microseconds(1010));
}

TEST(LatenciesTest, NegativeCountsAsZero) {
  LatencyRecorder recorder;
  recorder.Record(absl::Nanoseconds(-5));
  Latencies latencies;
  latencies.Add(recorder);
  EXPECT_EQ(latencies.count(), 1u);
  EXPECT_EQ(latencies.max(), absl::ZeroDuration());
}

TEST(LatenciesTest, CanBeReadWhileOneThreadRecords) {
  constexpr uint64_t kRecords = 200'000;
  LatencyRecorder recorder;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kRecords; ++i) recorder.Record(absl::Nanoseconds(i));
  });
  uint64_t last = 0;
  while (last < kRecords) {
    Latencies latencies;
    latencies.Add(recorder);
    ASSERT_GE(latencies.count(), last);
    last = latencies.count();
  }
  writer.join();
}

}  // namespace
}  // namespace ferrite::cli
