// A Set of a large value, taken apart in steps, against what protobuf makes of the same bytes.

#include "server/handlers/large_set.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ferrite {
namespace {

Request InPieces(std::string_view bytes, size_t piece_bytes) {
  std::vector<std::string_view> pieces;
  for (size_t begin = 0; begin < bytes.size(); begin += piece_bytes) {
    pieces.push_back(bytes.substr(begin, piece_bytes));
  }
  return Request(std::move(pieces));
}

v1::SetRequest Example() {
  v1::SetRequest request;
  request.set_key("key");
  request.set_value(std::string(1'000'000, 'v'));
  request.set_ttl_ms(5000);
  request.set_request_id("id");
  request.set_return_previous(true);
  return request;
}

// Joins in at least that many steps; whether the message was well formed.
bool Take(LargeSet* set, int least_steps) {
  int steps = 1;
  while (set->Join()) ++steps;
  EXPECT_GE(steps, least_steps);
  return set->Parse();
}

TEST(LargeSet, IsWhatProtobufReads) {
  const std::string bytes = Example().SerializeAsString();
  for (const size_t piece_bytes : {size_t{1} << 30, size_t{8192}, size_t{777}}) {
    const Request request = InPieces(bytes, piece_bytes);
    LargeSet set(request);
    ASSERT_TRUE(Take(&set, 4));
    EXPECT_EQ(set.value(), Example().value());
    v1::SetRequest whole = set.head();
    EXPECT_TRUE(whole.value().empty());
    whole.set_value(std::string(set.value()));
    EXPECT_EQ(whole.SerializeAsString(), bytes);
  }
}

TEST(LargeSet, HasTheHashOfTheSameRequestAsAMessage) {
  const std::string bytes = Example().SerializeAsString();
  const Request request = InPieces(bytes, 10'000);
  LargeSet set(request);
  ASSERT_TRUE(Take(&set, 4));
  int steps = 1;
  while (set.Hash()) ++steps;
  EXPECT_GE(steps, 4);
  EXPECT_EQ(set.request_hash(), RequestHash::Of(Example()));
  v1::SetRequest other = Example();
  other.mutable_value()->back() = 'w';
  EXPECT_NE(set.request_hash(), RequestHash::Of(other));
}

TEST(LargeSet, IsNotHashedWithoutARequestId) {
  v1::SetRequest example = Example();
  example.clear_request_id();
  const std::string bytes = example.SerializeAsString();
  const Request request = InPieces(bytes, 10'000);
  LargeSet set(request);
  ASSERT_TRUE(Take(&set, 4));
  EXPECT_FALSE(set.Hash());
  EXPECT_EQ(set.request_hash(), KeyedDigest());
}

TEST(LargeSet, TheLastOfSeveralValuesCounts) {
  v1::SetRequest second;
  second.set_value("second");
  const std::string bytes = Example().SerializeAsString() + second.SerializeAsString();
  const Request request = InPieces(bytes, 4096);
  LargeSet set(request);
  ASSERT_TRUE(Take(&set, 4));
  EXPECT_EQ(set.value(), "second");
  EXPECT_EQ(set.head().key(), "key");
}

TEST(LargeSet, ReadsWhatOnlyProtobufReads) {
  // Field 50 as a group, which holds field 1.
  const std::string bytes = Example().SerializeAsString() + "\x93\x03\x08\x01\x94\x03";
  const Request request = InPieces(bytes, 4096);
  LargeSet set(request);
  ASSERT_TRUE(Take(&set, 4));
  EXPECT_EQ(set.value(), Example().value());
  EXPECT_EQ(set.head().key(), "key");
}

TEST(LargeSet, AMessageThatIsCutOffIsMalformed) {
  const std::string bytes = Example().SerializeAsString();
  for (const size_t size : {bytes.size() - 1, size_t{500'000}}) {
    const Request request = InPieces(std::string_view(bytes).substr(0, size), 4096);
    LargeSet set(request);
    EXPECT_FALSE(Take(&set, 2));
  }
}

}  // namespace
}  // namespace ferrite
