#include "server/namespaces/memory_shares.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrite {
namespace {

using policy::NamespaceRules;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

NamespaceRules Amount(uint64_t mib) {
  NamespaceRules rules;
  rules.name = "amount";
  rules.memory_bytes = mib * kMiB;
  return rules;
}
NamespaceRules Share(uint64_t percent) {
  NamespaceRules rules;
  rules.name = "share";
  rules.memory_percent = percent;
  return rules;
}

TEST(MemoryShares, DefaultGetsWhatOthersLeave) {
  const auto shares = ShareOut({Amount(30), Share(25)}, 100 * kMiB, 10 * kMiB, {kMiB, kMiB});
  ASSERT_TRUE(shares.ok()) << shares.status();
  EXPECT_THAT(shares->bytes, ElementsAre(30 * kMiB, 25 * kMiB));
  EXPECT_EQ(shares->of_default, 45 * kMiB);
}

TEST(MemoryShares, WithoutALimitOnlyAmountsMakeSense) {
  EXPECT_TRUE(ShareOut({Amount(30)}, 0, kMiB, {kMiB}).ok());
  EXPECT_FALSE(ShareOut({Share(30)}, 0, kMiB, {kMiB}).ok());
}

TEST(MemoryShares, TooMuchIsRefusedWithTheSum) {
  const auto shares = ShareOut({Amount(60), Share(25)}, 100 * kMiB, 16 * kMiB, {kMiB, kMiB});
  EXPECT_THAT(std::string(shares.status().message()),
              HasSubstr("16MiB (the least of default) + 60MiB (amount) + 25MiB (share, 25%) = "
                        "101MiB, and --max-memory is 100MiB"));
  // Sums that do not wrap around.
  EXPECT_FALSE(ShareOut({Amount(UINT64_MAX / kMiB), Amount(UINT64_MAX / kMiB)}, 100 * kMiB, kMiB,
                        {kMiB, kMiB})
                   .ok());
}

TEST(MemoryShares, TooLittleIsRefused) {
  EXPECT_FALSE(ShareOut({Amount(15)}, 100 * kMiB, kMiB, {16 * kMiB}).ok());
  EXPECT_FALSE(ShareOut({Share(15)}, 100 * kMiB, kMiB, {16 * kMiB}).ok());
}

// What is told to be the least is enough, and not much less is.
TEST(MemoryShares, TheLeastLimitIsJustEnough) {
  const std::vector<std::vector<NamespaceRules>> all = {
      {Amount(60), Share(25)}, {Share(99)}, {Share(40), Share(40)}, {Amount(16)}};
  for (const std::vector<NamespaceRules>& rules : all) {
    const std::vector<uint64_t> each(rules.size(), 16 * kMiB);
    const uint64_t least = LeastMaxMemory(rules, 10 * kMiB, each);
    EXPECT_TRUE(ShareOut(rules, least, 10 * kMiB, each).ok());
    EXPECT_FALSE(ShareOut(rules, least - least / 50, 10 * kMiB, each).ok());
  }
}

}  // namespace
}  // namespace ferrite
