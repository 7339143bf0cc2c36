#include "server/namespaces/connection_places.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

using std::chrono::seconds;

constexpr ConnectionPlaces::Clock::time_point kStart(std::chrono::hours(1));

TEST(ConnectionPlaces, CountsEachConnectionOnce) {
  ConnectionPlaces places;
  places.Limit(2);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(places.Take(1, kStart));
    EXPECT_TRUE(places.Take(2, kStart));
    EXPECT_FALSE(places.Take(3, kStart));
  }
  EXPECT_EQ(places.count(), 2u);
}

TEST(ConnectionPlaces, OneThatIsNotUsedGivesItsPlaceToAnother) {
  ConnectionPlaces places;
  places.Limit(2);
  EXPECT_TRUE(places.Take(1, kStart));
  EXPECT_TRUE(places.Take(2, kStart));
  EXPECT_TRUE(places.Take(2, kStart + seconds(20)));
  EXPECT_FALSE(places.Take(3, kStart + seconds(30)));
  EXPECT_TRUE(places.Take(3, kStart + seconds(35)));
  EXPECT_FALSE(places.Take(1, kStart + seconds(40)));
  EXPECT_TRUE(places.Take(2, kStart + seconds(40)));
}

TEST(ConnectionPlaces, CountsNothingWithoutALimit) {
  ConnectionPlaces places;
  for (uint64_t i = 0; i < 1000; ++i) EXPECT_TRUE(places.Take(i, kStart));
  EXPECT_EQ(places.count(), 0u);
}

}  // namespace
}  // namespace ferrite
