#include "base/nearest_name.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

const std::vector<std::string> kNames = {"max-memory", "max-value-bytes", "threads", "get", "mget"};

TEST(NearestName, IsTheOneWithTheFewestTypingErrors) {
  EXPECT_EQ(NearestName("max-memroy", kNames), "max-memory");  // swapped
  EXPECT_EQ(NearestName("max-memry", kNames), "max-memory");   // too few
  EXPECT_EQ(NearestName("maxx-memory", kNames), "max-memory");
  EXPECT_EQ(NearestName("naxmemory", kNames), "max-memory");
  EXPECT_EQ(NearestName("thread", kNames), "threads");
  EXPECT_EQ(NearestName("gte", kNames), "get");
  EXPECT_EQ(NearestName("mgte", kNames), "mget");
  EXPECT_EQ(NearestName("get", kNames), "get");
}

TEST(NearestName, IsAbsentWhenNothingIsNear) {
  EXPECT_EQ(NearestName("listen", kNames), std::nullopt);
  EXPECT_EQ(NearestName("", kNames), std::nullopt);
  EXPECT_EQ(NearestName("x", kNames), std::nullopt);
  EXPECT_EQ(NearestName("get", {}), std::nullopt);
}

}  // namespace
}  // namespace ferrite
