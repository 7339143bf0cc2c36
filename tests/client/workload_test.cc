#include "client/cli/bench/workload.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "client/cli/bench/zipf.h"

namespace ferrite::cli {
namespace {

TEST(ZipfTest, StaysInRange) {
  std::mt19937_64 generator(1);
  for (const uint64_t count : {uint64_t{1}, uint64_t{2}, uint64_t{10}, uint64_t{10'000'000'000}}) {
    for (const double theta : {0.01, 0.5, 0.99, 1.0, 1.2, 5.0}) {
      const ZipfSampler sampler(count, theta);
      for (int i = 0; i < 10'000; ++i) {
        ASSERT_LT(sampler(generator), count) << count << " " << theta;
      }
    }
  }
}

// Pearson's chi-squared over all ranks: for k = count - 1 degrees of freedom it is about normal
// with mean k and variance 2k. The generator is seeded, so the outcome is always the same.
TEST(ZipfTest, FollowsItsLaw) {
  constexpr int kCount = 100;
  constexpr int kDraws = 1'000'000;
  for (const double theta : {0.5, 0.99, 1.0, 1.5}) {
    std::mt19937_64 generator(42);
    const ZipfSampler sampler(kCount, theta);
    std::vector<int> drawn(kCount);
    for (int i = 0; i < kDraws; ++i) ++drawn[sampler(generator)];
    double sum = 0;
    for (int k = 1; k <= kCount; ++k) sum += std::pow(k, -theta);
    double chi_squared = 0;
    for (int k = 1; k <= kCount; ++k) {
      const double expected = kDraws * std::pow(k, -theta) / sum;
      chi_squared += (drawn[k - 1] - expected) * (drawn[k - 1] - expected) / expected;
    }
    EXPECT_LT(chi_squared, 99 + 4 * std::sqrt(2 * 99.0)) << theta;
  }
}

TEST(KeyTest, KeysHaveTheirSizeAndDiffer) {
  std::set<std::string> keys;
  for (uint64_t i = 0; i < 1000; ++i) {
    std::string key;
    WriteKey('k', i, 4, &key);
    EXPECT_EQ(key.size(), 4u);
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 1000u);
  EXPECT_TRUE(keys.contains("k000"));
  EXPECT_TRUE(keys.contains("k999"));
}

TEST(KeyTest, LeastKeySizeHoldsTheGreatestNumber) {
  EXPECT_EQ(LeastKeySize(1), 2);
  EXPECT_EQ(LeastKeySize(10), 2);
  EXPECT_EQ(LeastKeySize(11), 3);
  EXPECT_EQ(LeastKeySize(1'000'000), 7);
}

TEST(WorkloadTest, SameSeedSameKeys) {
  BenchOptions options;
  Workload a(options, 7), b(options, 7), c(options, 8);
  std::string of_a, of_b, of_c;
  int differences = 0;
  for (int i = 0; i < 100; ++i) {
    a.NextKey(&of_a);
    b.NextKey(&of_b);
    c.NextKey(&of_c);
    EXPECT_EQ(of_a, of_b);
    if (of_a != of_c) ++differences;
  }
  EXPECT_GT(differences, 90);
}

TEST(WorkloadTest, MixesReadsAndWritesAsAsked) {
  BenchOptions options;
  options.op = BenchOp::kMixed;
  options.read_ratio = 0.8;
  Workload workload(options, 1);
  int reads = 0;
  for (int i = 0; i < 100'000; ++i) reads += workload.NextKind() == Workload::Kind::kGet ? 1 : 0;
  EXPECT_NEAR(reads, 80'000, 1'000);
}

TEST(WorkloadTest, BatchesUseTheBatchCalls) {
  BenchOptions options;
  options.mode = BenchMode::kMGet;
  EXPECT_EQ(Workload(options, 1).NextKind(), Workload::Kind::kMGet);
  options.op = BenchOp::kSet;
  EXPECT_EQ(Workload(options, 1).NextKind(), Workload::Kind::kMSet);
  options.mode = BenchMode::kPipeline;
  EXPECT_EQ(Workload(options, 1).NextKind(), Workload::Kind::kSet);
}

TEST(WorkloadTest, CountersAreNoEntries) {
  BenchOptions options;
  options.keys = 1;
  Workload workload(options, 1);
  std::string entry, counter;
  workload.NextKey(&entry);
  workload.NextCounterKey(&counter);
  EXPECT_NE(entry, counter);
}

}  // namespace
}  // namespace ferrite::cli
