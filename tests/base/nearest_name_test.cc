#include "base/nearest_name.h"

#include <gmock/gmock.h>

namespace ferrite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kNames = {"max-memory", "max-value-bytes", "threads", "get", "set",
                                         "mget"};

TEST(NearestNames, AreThoseWithTheFewestTypingErrors) {
  EXPECT_THAT(NearestNames("max-memroy", kNames), ElementsAre("max-memory"));  // swapped
  EXPECT_THAT(NearestNames("max-memry", kNames), ElementsAre("max-memory"));   // too few
  EXPECT_THAT(NearestNames("maxx-memory", kNames), ElementsAre("max-memory"));
  EXPECT_THAT(NearestNames("naxmemory", kNames), ElementsAre("max-memory"));
  EXPECT_THAT(NearestNames("thread", kNames), ElementsAre("threads"));
  EXPECT_THAT(NearestNames("gte", kNames), ElementsAre("get"));
  EXPECT_THAT(NearestNames("mgte", kNames), ElementsAre("mget"));
  EXPECT_THAT(NearestNames("get", kNames), ElementsAre("get"));
  EXPECT_THAT(NearestNames("jet", kNames), ElementsAre("get", "set"));
}

TEST(NearestNames, DoNotHeedCase) {
  EXPECT_THAT(NearestNames("GET", kNames), ElementsAre("get"));
  EXPECT_THAT(NearestNames("Max-Memroy", kNames), ElementsAre("max-memory"));
}

TEST(NearestNames, AreNoneWhenNothingIsNear) {
  EXPECT_THAT(NearestNames("listen", kNames), IsEmpty());
  EXPECT_THAT(NearestNames("", kNames), IsEmpty());
  EXPECT_THAT(NearestNames("x", kNames), IsEmpty());
  EXPECT_THAT(NearestNames("x", {"y"}), IsEmpty()) << "no letter is right";
  EXPECT_THAT(NearestNames("get", {}), IsEmpty());
}

// To compare every letter with every other would take days here.
TEST(NearestNames, AHugeWordCostsNoMoreThanTheNames) {
  const std::string huge(size_t{64} << 20, 'm');
  const std::vector<std::string> many(10'000, std::string(100, 'm'));
  EXPECT_THAT(NearestNames(huge, many), IsEmpty());
}

}  // namespace
}  // namespace ferrite
