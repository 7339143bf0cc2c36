#include "server/call/reply_writer.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "store/value.h"

namespace ferrite {
namespace {

class ReplyWriterTest : public ::testing::Test {
 protected:
  // Of what the allocator rounds up to.
  static constexpr size_t kRounding = 32;

  ReplyWriterTest() {
    const BlockRef block(ValueBlock::Create(std::string(kMinSharedBytes, 'v')));
    large_.Assign(block.get());
  }

  static void Append(std::string_view bytes, ReplyWriter* writer) {
    std::memcpy(writer->Append(bytes.size()), bytes.data(), bytes.size());
  }
  // What the writer's own pieces of the message take beside their bytes. Takes the message.
  static size_t SpareBytes(ReplyWriter* writer) {
    size_t spare = 0;
    for (const Piece& piece : writer->Take()) {
      if (piece.release == &std::free) spare += malloc_usable_size(piece.owner) - piece.size;
      piece.release(piece.owner);
    }
    return spare;
  }

  Value large_;
};

TEST_F(ReplyWriterTest, KeepsNothingBesideWhatIsAroundALargeValue) {
  ReplyWriter writer;
  for (int message = 0; message < 2; ++message) {  // the second finds what the first left
    Append("head", &writer);
    writer.AppendValue(large_);
    Append("tail", &writer);
    EXPECT_EQ(writer.size(), kMinSharedBytes + 8);
    EXPECT_LE(SpareBytes(&writer), 2 * kRounding);
  }
}

TEST_F(ReplyWriterTest, KeepsNothingBesideWhatIsSentInSeveralPieces) {
  ReplyWriter writer;
  for (int i = 0; i < 100; ++i) Append(std::string(100, 'v'), &writer);
  EXPECT_LE(SpareBytes(&writer), 2 * kRounding);
}

TEST_F(ReplyWriterTest, AMessageThatWaitsInAnotherWriterKeepsNothingBeside) {
  ReplyWriter writer;
  ReplyWriter waiting;
  Append("reply", &writer);
  waiting.Swap(&writer);
  EXPECT_EQ(writer.size(), 0u);
  EXPECT_EQ(waiting.size(), 5u);
  EXPECT_LE(SpareBytes(&waiting), kRounding);
}

TEST_F(ReplyWriterTest, TellsTheSameWhateverThePiecesAre) {
  ReplyWriter writer;
  std::string expected;
  for (size_t bytes = 1; bytes < 100'000; bytes = bytes * 3 + 1) {
    const std::string part(bytes, static_cast<char>('a' + bytes % 26));
    Append(part, &writer);
    writer.AppendValue(large_);
    expected += part + std::string(large_.view());
  }
  EXPECT_EQ(writer.size(), expected.size());
  EXPECT_EQ(TakeBytes(&writer), expected);
}

}  // namespace
}  // namespace ferrite
