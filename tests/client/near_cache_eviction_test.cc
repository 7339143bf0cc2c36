// How a near cache stays within its memory limit.

#include "absl/strings/str_cat.h"
#include "tests/client/near_cache_fixture.h"

namespace ferrite {
namespace {

class NearCacheEvictionTest : public NearCacheTest {
 protected:
  // Limits a cache of one shard to `bytes`.
  explicit NearCacheEvictionTest(size_t bytes = 100'000) : small_(bytes, absl::Milliseconds(100)) {
    small_.Restart();
    small_.ProbeCameBack(0);
  }
  void Keep(const std::string& key, size_t value_bytes = 1000) {
    small_.End(*small_.JoinOrBegin(key, 0, [](const auto&) {}),
               Found(std::string(value_bytes, 'x'), 1));
  }
  bool Has(const std::string& key) { return small_.Find(key, 0).found(); }

  NearEntries small_;
};

TEST_F(NearCacheEvictionTest, BytesStayWithinTheLimit) {
  for (int i = 0; i < 1000; ++i) {
    Keep(absl::StrCat("key", i), i);
    ASSERT_LE(small_.stats().bytes, 100'000u);
  }
  const NearCacheStats stats = small_.stats();
  EXPECT_GT(stats.bytes, 95'000u);
  EXPECT_EQ(stats.entries + stats.evictions, 1000u);
  EXPECT_TRUE(Has("key999"));
  EXPECT_FALSE(Has("key0"));
}

TEST_F(NearCacheEvictionTest, WhatIsUsedStays) {
  Keep("hot");
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Has("hot")) << i;
    Keep(absl::StrCat("cold", i));
  }
}

TEST_F(NearCacheEvictionTest, BytesComeBackWhenEntriesGo) {
  Keep("a");
  Keep("b");
  const uint64_t both = small_.stats().bytes;
  small_.Invalidate("a");
  EXPECT_EQ(small_.stats().bytes, both / 2);
  Keep("b");
  EXPECT_EQ(small_.stats().bytes, both / 2) << "an entry in the place of another";
  small_.Restart();
  EXPECT_EQ(small_.stats().bytes, 0u);
  EXPECT_EQ(small_.stats().entries, 0u);
}

TEST_F(NearCacheEvictionTest, WhatIsLargerThanAllOfItIsNotKept) {
  Keep("small");
  Keep("large", 100'000);
  EXPECT_FALSE(Has("large"));
  EXPECT_TRUE(Has("small"));
}

TEST_F(NearCacheEvictionTest, AnEntryThatGrewTooLargeReplacesNoneButLeavesNoOldOne) {
  Keep("k");
  Keep("k", 100'000);
  EXPECT_FALSE(Has("k"));
}

}  // namespace
}  // namespace ferrite
