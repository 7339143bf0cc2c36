// Resume tokens of streams that come from several nodes.

#include "server/events/composite_token.h"

#include <gtest/gtest.h>

#include <string>

namespace ferrite {
namespace {

std::string Single(uint64_t process, uint64_t sequence) {
  std::string bytes(ResumeToken::kBytes, '\0');
  ResumeToken{process, sequence}.Write(bytes.data());
  return bytes;
}

TEST(CompositeTokenTest, HasAPlaceForEachNode) {
  CompositeToken token;
  token.SetGeneration(7);
  token.SetSequence(8);
  token.AddPlace({1, 10});
  token.AddPlace({2, 20});
  token.SetPlace(0, {1, 11});
  const auto read = CompositeToken::Read(token.bytes());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->generation(), 7u);
  EXPECT_EQ(read->sequence(), 8u);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->place(0).sequence, 11u);
  EXPECT_EQ(read->place(1).process, 2u);
  token.ForgetPlaces();
  EXPECT_EQ(CompositeToken::Read(token.bytes())->size(), 0u);
}

TEST(CompositeTokenTest, PlacesAreReadFromTokensOfEitherKind) {
  EXPECT_EQ(PlacesIn(Single(3, 4))->at(0).sequence, 4u);
  CompositeToken token;
  EXPECT_TRUE(PlacesIn(token.bytes())->empty());
  token.AddPlace({5, 6});
  EXPECT_EQ(PlacesIn(token.bytes())->at(0).process, 5u);
}

TEST(CompositeTokenTest, GarbageIsNone) {
  CompositeToken token;
  token.AddPlace({5, 6});
  const std::string& good = token.bytes();
  for (size_t size = 0; size < good.size(); ++size) {
    if (size == CompositeToken().bytes().size() || size == ResumeToken::kBytes) continue;
    EXPECT_FALSE(PlacesIn(good.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(PlacesIn("\x02" + good.substr(1)).has_value());
  while (token.size() < CompositeToken::kMaxPlaces) token.AddPlace({});
  EXPECT_TRUE(PlacesIn(good).has_value());
  EXPECT_FALSE(PlacesIn(good + Single(0, 0)).has_value());
}

}  // namespace
}  // namespace ferrite
