#include "store/eviction/frequency_sketch.h"

#include <sys/resource.h>

#include "absl/base/config.h"
#include "gtest/gtest.h"

namespace ferrite {
namespace {

uint32_t HashOf(uint32_t i) { return i * 2654435761u; }

TEST(FrequencySketch, IsEmptyAndTakesNothingBeforeItsFirstReset) {
  FrequencySketch sketch;
  sketch.Add(1, 3);
  EXPECT_EQ(sketch.Count(1), 0);
  EXPECT_EQ(sketch.memory_bytes(), 0u);
}

TEST(FrequencySketch, CountsUpToItsMaximum) {
  FrequencySketch sketch;
  sketch.Reset(1000);
  sketch.Add(1, 2);
  sketch.Add(1, 1);
  EXPECT_EQ(sketch.Count(1), 3);
  EXPECT_EQ(sketch.Count(2), 0);
  sketch.Add(1, 100);
  EXPECT_EQ(sketch.Count(1), FrequencySketch::kMaxCount);
  sketch.Reset(1000);
  EXPECT_EQ(sketch.Count(1), 0);
}

TEST(FrequencySketch, TakesEightBytesPerEntry) {
  FrequencySketch sketch;
  sketch.Reset(10'000);
  EXPECT_EQ(sketch.memory_bytes(), 80'000u);
}

TEST(FrequencySketch, SeldomCountsTooMuchAndNeverTooLittle) {
  constexpr uint32_t kKeys = 10'000;
  FrequencySketch sketch;
  sketch.Reset(kKeys);
  for (uint32_t i = 0; i < kKeys; ++i) sketch.Add(HashOf(i), 1 + i % 3);
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < kKeys; ++i) {
    const int count = sketch.Count(HashOf(i));
    ASSERT_GE(count, static_cast<int>(1 + i % 3));
    wrong += count > static_cast<int>(1 + i % 3);
  }
  EXPECT_LT(wrong, kKeys / 20);
}

TEST(FrequencySketch, HalvesAllCountsAfterSixteenUsesPerEntry) {
  constexpr uint32_t kEntries = 100;
  FrequencySketch sketch;
  sketch.Reset(kEntries);
  sketch.Add(1, 12);
  for (uint32_t i = 12; i < 16 * kEntries; ++i) sketch.Add(2, 1);
  EXPECT_EQ(sketch.Count(1), 6);
  EXPECT_EQ(sketch.Count(2), 7);
  // What was not looked at for long is halved as often as all others.
  for (uint32_t i = 0; i < 2 * 16 * kEntries; ++i) sketch.Add(2, 1);
  EXPECT_EQ(sketch.Count(1), 1);
  sketch.Add(1, 1);
  EXPECT_EQ(sketch.Count(1), 2);
}

TEST(FrequencySketch, ForgetsNothingWhenItGrows) {
  constexpr uint32_t kKeys = 1000;
  FrequencySketch sketch;
  sketch.Reset(kKeys);
  for (uint32_t i = 0; i < kKeys; ++i) sketch.Add(HashOf(i), 1 + i % 5);
  const size_t small_bytes = sketch.memory_bytes();
  for (int growth = 1; growth <= 3; ++growth) {
    sketch.Grow();
    EXPECT_EQ(sketch.capacity(), size_t{kKeys} << growth);
    for (uint32_t i = 0; i < kKeys; ++i) {
      ASSERT_GE(sketch.Count(HashOf(i)), static_cast<int>(1 + i % 5));
      // In the middle of it too, whether the line was copied or not.
      if (i % 10 == 0) sketch.Add(HashOf(i), 1);
    }
    for (uint32_t i = 0; i < kKeys << growth; ++i) sketch.Add(HashOf(0), 0 + (i % 8 == 0));
    EXPECT_EQ(sketch.memory_bytes(), small_bytes << growth);
  }
}

// The first thread to touch a page waits for the kernel to find it, here with a shard's mutex held.
TEST(FrequencySketch, TouchesFewFreshPagesAtATime) {
#if defined(ABSL_HAVE_THREAD_SANITIZER)
  GTEST_SKIP() << "the sanitizer has memory of its own for each byte";
#endif
  constexpr uint32_t kKeys = 100'000;
  constexpr uint32_t kAdditions = 300;
  const auto page_faults = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
  };
  FrequencySketch sketch;
  sketch.Reset(kKeys);
  for (uint32_t i = 0; i < kKeys; ++i) sketch.Add(HashOf(i), 1);
  sketch.Grow();
  const long before = page_faults();
  for (uint32_t i = 0; i < kAdditions; ++i) sketch.Add(HashOf(i), 1);
  EXPECT_LT(page_faults() - before, kAdditions / 3);
}

TEST(FrequencySketch, GrowsNoFurtherBeforeItIsDone) {
  FrequencySketch sketch;
  sketch.Reset(1000);
  sketch.Grow();
  const size_t bytes = sketch.memory_bytes();
  EXPECT_EQ(bytes, 1000u * 8 * 3);
  sketch.Grow();
  EXPECT_EQ(sketch.capacity(), 2000u);
  EXPECT_EQ(sketch.memory_bytes(), bytes);
}

}  // namespace
}  // namespace ferrite
