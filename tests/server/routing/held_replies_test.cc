#include "server/routing/held_replies.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite {
namespace {

std::shared_ptr<const Request> ReplyOf(const std::string& bytes) {
  struct Kept {
    explicit Kept(const std::string& from) : bytes(from), request(std::string_view(bytes)) {}
    const std::string bytes;
    const Request request;
  };
  const auto kept = std::make_shared<const Kept>(bytes);
  return {kept, &kept->request};
}

TEST(HeldReplies, AreCountedUntilNobodyHasThemAnyMore) {
  HeldReplies replies(100);
  auto held = replies.Hold(ReplyOf(std::string(30, 'a')));
  ASSERT_NE(held, nullptr);
  auto copy = held;
  held.reset();
  EXPECT_EQ(replies.bytes(), 30u);
  EXPECT_EQ(copy->bytes(), std::string(30, 'a'));
  copy.reset();
  EXPECT_EQ(replies.bytes(), 0u);
}

TEST(HeldReplies, AreLimitedButForTheOnlyOneAndSmallOnes) {
  constexpr size_t kLarge = HeldReplies::kSmallBytes + 1;
  HeldReplies replies(3 * kLarge);
  auto only = replies.Hold(ReplyOf(std::string(5 * kLarge, 'a')));
  ASSERT_NE(only, nullptr);
  EXPECT_EQ(replies.Hold(ReplyOf(std::string(kLarge, 'b'))), nullptr);
  EXPECT_EQ(replies.bytes(), 5 * kLarge);
  EXPECT_NE(replies.Hold(ReplyOf(std::string(kLarge - 1, 'b'))), nullptr);
  only.reset();
  EXPECT_EQ(replies.bytes(), 0u);
  const auto first = replies.Hold(ReplyOf(std::string(kLarge + 1, 'a')));
  EXPECT_EQ(replies.Hold(ReplyOf(std::string(2 * kLarge, 'b'))), nullptr);
  EXPECT_NE(replies.Hold(ReplyOf(std::string(2 * kLarge - 1, 'b'))), nullptr);
}

TEST(HeldReplies, AreInOnePieceAndOnlyOnceInMemory) {
  const std::string first(20, 'a');
  const std::string second(20, 'b');
  auto pieces = std::make_shared<const Request>(std::vector<std::string_view>{first, second});
  const std::weak_ptr<const Request> before = pieces;
  HeldReplies replies(100);
  const auto held = replies.Hold(std::move(pieces));
  ASSERT_NE(held, nullptr);
  EXPECT_TRUE(before.expired());
  EXPECT_TRUE(held->in_one_piece());
  EXPECT_EQ(held->bytes(), first + second);
  EXPECT_EQ(replies.bytes(), 40u);
}

TEST(HeldReplies, MayOutliveTheirCount) {
  std::shared_ptr<const Request> held;
  {
    HeldReplies replies(100);
    held = replies.Hold(ReplyOf("a"));
  }
  EXPECT_EQ(held->bytes(), "a");
}

TEST(AppendPart, KeepsALargeReplyOnlyForALargePart) {
  const auto reply = ReplyOf(std::string(1 << 20, 'a'));
  ReplyWriter small;
  AppendPart(reply->bytes().substr(0, 100'000), reply, &small);
  EXPECT_EQ(reply.use_count(), 1);
  EXPECT_EQ(TakeBytes(&small), std::string(100'000, 'a'));
  ReplyWriter large;
  AppendPart(reply->bytes().substr(0, 500'000), reply, &large);
  EXPECT_EQ(reply.use_count(), 2);
  EXPECT_EQ(TakeBytes(&large), std::string(500'000, 'a'));
  EXPECT_EQ(reply.use_count(), 1);
}

}  // namespace
}  // namespace ferrite
