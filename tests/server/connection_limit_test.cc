#include "server/net/connection_limit.h"

#include <gtest/gtest.h>

namespace ferrite {
namespace {

TEST(KeptPlaces, AreNoMoreThanIsKeptForThem) {
  for (const size_t descriptors : {0, 16, 60, 64, 80, 200, 447, 448, 1'000'000}) {
    const KeptPlaces places = PlacesWithin(descriptors);
    EXPECT_LE(places.descriptors(), std::max<size_t>(16, descriptors / 4)) << descriptors;
    EXPECT_GE(places.local_guests, 2u) << descriptors;
    EXPECT_GE(places.remote_guests, 2u) << descriptors;
    EXPECT_GE(places.http, 2u) << descriptors;
    EXPECT_GE(places.files, 8u) << descriptors;
  }
}

TEST(KeptPlaces, AreAsManyAsReadmeSaysWhereThereAreEnoughDescriptors) {
  const KeptPlaces places = PlacesWithin(1024);
  EXPECT_EQ(places.local_guests, 16u);
  EXPECT_EQ(places.remote_guests, 48u);
  EXPECT_EQ(places.http, 32u);
  EXPECT_EQ(places.files, 16u);
}

}  // namespace
}  // namespace ferrite
