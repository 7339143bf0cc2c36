// Frames and messages are found in whatever pieces the bytes come.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "server/guard/frame_walker.h"
#include "server/guard/unfinished_messages.h"
#include "tests/server/http2_bytes.h"

namespace ferrite {
namespace {

using testing::ElementsAre;

using Seen = std::tuple<int, int, uint32_t, std::string>;  // type, flags, stream, data

class Recorder {
 public:
  void OnFrame(const FrameHead& frame) {
    frames.emplace_back(frame.type, frame.flags, frame.stream, "");
  }
  void OnData(const char* bytes, size_t size) { std::get<3>(frames.back()).append(bytes, size); }
  void OnDataEnd() { ++ends; }

  std::vector<Seen> frames;
  int ends = 0;
};

Recorder Walk(const std::string& bytes, const std::vector<size_t>& cuts) {
  Recorder recorder;
  FrameWalker walker;
  size_t from = 0;
  for (const size_t cut : cuts) {
    walker.Walk(bytes.data() + from, cut - from, &recorder);
    from = cut;
  }
  walker.Walk(bytes.data() + from, bytes.size() - from, &recorder);
  return recorder;
}

std::vector<size_t> RandomCuts(size_t size, size_t count, std::mt19937* random) {
  std::vector<size_t> cuts(count);
  for (size_t& cut : cuts) cut = std::uniform_int_distribution<size_t>(0, size)(*random);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

std::string Conversation() {
  return Preface() + FrameBytes(http2::kSettings, 0, 0, "123456") +
         FrameBytes(http2::kHeaders, http2::kEndHeaders, 1, "headers") +
         FrameBytes(http2::kData, 0, 1, "hello") + FrameBytes(http2::kData, 0, 1) +
         FrameBytes(http2::kData, http2::kEndStream, 1, "world") +
         FrameBytes(http2::kResetStream, 0, 0x7fffffff, "1234");
}

TEST(FrameWalkerTest, FramesAreFoundHoweverTheBytesAreCutInThree) {
  const std::string bytes = Conversation();
  const Recorder whole = Walk(bytes, {});
  EXPECT_THAT(
      whole.frames,
      ElementsAre(Seen{http2::kSettings, 0, 0, ""}, Seen{http2::kHeaders, 4, 1, ""},
                  Seen{http2::kData, 0, 1, "hello"}, Seen{http2::kData, 0, 1, ""},
                  Seen{http2::kData, 1, 1, "world"}, Seen{http2::kResetStream, 0, 0x7fffffff, ""}));
  EXPECT_EQ(whole.ends, 3);
  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); ++second) {
      const Recorder parts = Walk(bytes, {first, second});
      ASSERT_EQ(parts.frames, whole.frames) << first << ", " << second;
      ASSERT_EQ(parts.ends, whole.ends) << first << ", " << second;
    }
  }
}

TEST(FrameWalkerTest, ByteByByteIsTheSame) {
  const std::string bytes = Conversation();
  std::vector<size_t> cuts(bytes.size());
  for (size_t i = 0; i < cuts.size(); ++i) cuts[i] = i;
  EXPECT_EQ(Walk(bytes, cuts).frames, Walk(bytes, {}).frames);
}

TEST(FrameWalkerTest, GarbageIsTheSameInAnyPieces) {
  std::mt19937 random(1);
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = Preface();
    for (int i = 0; i < 400; ++i) {
      // Mostly small numbers, so that there are many frames.
      const uint32_t byte = random();
      bytes += static_cast<char>(byte % 4 == 0 ? byte >> 8 : byte % 3);
    }
    const Recorder whole = Walk(bytes, {});
    const Recorder parts = Walk(bytes, RandomCuts(bytes.size(), 1 + random() % 20, &random));
    ASSERT_EQ(parts.frames, whole.frames) << round;
    ASSERT_EQ(parts.ends, whole.ends) << round;
  }
}

// Feeds the messages as a connection does.
class Messages {
 public:
  void OnFrame(const FrameHead& frame) {
    if (frame.type == http2::kData) return messages.BeginData(frame);
    messages.Skip(frame.length + http2::kHeadBytes);
    if (frame.type == http2::kHeaders) messages.BeginStream(frame.stream);
    if (frame.type == http2::kHeaders && frame.has(http2::kEndStream))
      messages.EndStream(frame.stream);
    if (frame.type == http2::kResetStream) messages.EndStream(frame.stream);
  }
  void OnData(const char* bytes, size_t size) { messages.OnData(bytes, size); }
  void OnDataEnd() { empty += messages.EndData() ? 1 : 0; }

  void Take(const std::string& bytes) {
    walker.Walk(bytes.data(), bytes.size(), this);
    messages.EndRead();
  }

  FrameWalker walker;
  UnfinishedMessages messages;
  int empty = 0;
};

TEST(UnfinishedMessagesTest, WhatIsCompleteIsNotHeld) {
  Messages all;
  all.Take(Preface() + FrameBytes(http2::kData, 0, 1, MessageBytes(100) + MessageBytes(0)) +
           FrameBytes(http2::kData, http2::kEndStream, 3, MessageBytes(1)));
  EXPECT_EQ(all.messages.bytes(), 0);
  EXPECT_EQ(all.messages.streams(), 0u);
}

TEST(UnfinishedMessagesTest, AMessageIsHeldUntilItsLastByte) {
  const std::string message = MessageBytes(40'000);
  Messages all;
  all.Take(Preface());
  size_t sent = 0;
  while (sent + 7'000 < message.size()) {
    all.Take(FrameBytes(http2::kData, 0, 1, message.substr(sent, 7'000)));
    sent += 7'000;
    EXPECT_GE(all.messages.bytes(), static_cast<int64_t>(sent));
    EXPECT_LE(all.messages.bytes(), static_cast<int64_t>(2 * sent));
  }
  all.Take(FrameBytes(http2::kData, 0, 1, message.substr(sent)));
  EXPECT_EQ(all.messages.bytes(), 0);
  EXPECT_EQ(all.messages.streams(), 0u);
}

TEST(UnfinishedMessagesTest, AStreamCountsUntilItsFirstMessageOrItsEnd) {
  constexpr int64_t kStreamBytes = 13 << 10;
  const auto begin = [](uint32_t stream, uint8_t flags = 0) {
    return FrameBytes(http2::kHeaders, http2::kEndHeaders | flags, stream, "h");
  };
  Messages all;
  all.Take(Preface() + begin(1) + FrameBytes(http2::kData, 0, 1, MessageBytes(10)) + begin(3) +
           begin(5) + FrameBytes(http2::kData, 0, 3, MessageBytes(10)) +
           begin(7, http2::kEndStream) + begin(9));
  EXPECT_EQ(all.messages.bytes(), 2 * kStreamBytes) << "5 and 9";
  // Nothing is no message.
  all.Take(FrameBytes(http2::kData, 0, 5));
  EXPECT_EQ(all.messages.bytes(), 2 * kStreamBytes);
  all.Take(FrameBytes(http2::kData, 0, 5, MessageBytes(10).substr(0, 7)));
  EXPECT_GT(all.messages.bytes(), 2 * kStreamBytes);
  all.Take(FrameBytes(http2::kData, 0, 5, MessageBytes(10).substr(7)));
  EXPECT_EQ(all.messages.bytes(), kStreamBytes);
  all.Take(FrameBytes(http2::kResetStream, 0, 9, "1234"));
  EXPECT_EQ(all.messages.bytes(), 0);
  EXPECT_EQ(all.messages.streams(), 0u);
}

TEST(UnfinishedMessagesTest, PartOfAFrameCountsBeforeItsEnd) {
  const std::string frame = FrameBytes(http2::kData, 0, 1, MessageBytes(30'000).substr(0, 16'000));
  Messages all;
  all.Take(Preface() + frame.substr(0, 8'000));
  EXPECT_EQ(all.messages.bytes(), 8'000 - static_cast<int64_t>(http2::kHeadBytes));
}

TEST(UnfinishedMessagesTest, AResetAndAnEndGiveItBack) {
  Messages all;
  all.Take(Preface());
  for (const uint32_t stream : {1u, 3u})
    all.Take(FrameBytes(http2::kData, 0, stream, MessageBytes(1'000).substr(0, 500)));
  EXPECT_EQ(all.messages.streams(), 2u);
  all.Take(FrameBytes(http2::kResetStream, 0, 1, "1234"));
  EXPECT_EQ(all.messages.streams(), 1u);
  all.Take(FrameBytes(http2::kData, http2::kEndStream, 3));
  EXPECT_EQ(all.messages.streams(), 0u);
  EXPECT_EQ(all.messages.bytes(), 0);
  EXPECT_EQ(all.empty, 0);
}

TEST(UnfinishedMessagesTest, TinyPiecesBetweenOtherBytesCountAsTheBuffersThatTheyKeep) {
  Messages all;
  all.Take(Preface());
  const std::string other = FrameBytes(http2::kGoAway + 20, 0, 0, std::string(16'384, 'x'));
  for (int i = 0; i < 100; ++i)
    all.Take(FrameBytes(http2::kData, 0, 1, i == 0 ? MessageBytes(9'000).substr(0, 24) : "piece") +
             other);
  EXPECT_GE(all.messages.bytes(), 99 * 16'384);
}

TEST(UnfinishedMessagesTest, EmptyFramesAreTold) {
  Messages all;
  all.Take(Preface() + FrameBytes(http2::kData, 0, 1) + FrameBytes(http2::kData, 0, 1, "\x05"));
  EXPECT_EQ(all.empty, 1);
  // Nothing but padding.
  all.Take(FrameBytes(http2::kData, http2::kPadded, 3, std::string("\2\0\0", 3)));
  all.Take(FrameBytes(http2::kData, http2::kPadded, 3, std::string("\xff\0\0", 3)));
  EXPECT_EQ(all.empty, 3);
  all.Take(FrameBytes(http2::kData, http2::kEndStream, 3));
  EXPECT_EQ(all.empty, 3);
}

// Against a model that keeps all bytes: random messages of random streams, in random frames with
// random padding, in random pieces.
TEST(UnfinishedMessagesTest, RandomStreamsEndAsTheModelSays) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::map<uint32_t, std::string> to_send;
    for (uint32_t stream = 1; stream < 12; stream += 2) {
      for (uint32_t i = random() % 4; i > 0; --i) to_send[stream] += MessageBytes(random() % 300);
    }
    std::map<uint32_t, std::string> model;  // the unfinished message of each stream
    std::string bytes = Preface();
    for (int frame = 0; frame < 60; ++frame) {
      const uint32_t stream = 1 + 2 * (random() % 6);
      std::string& left = to_send[stream];
      if (random() % 20 == 0) {
        bytes += FrameBytes(http2::kResetStream, 0, stream, "1234");
        model.erase(stream);
        left.clear();
        continue;
      }
      const std::string content = left.substr(0, random() % 200);
      left.erase(0, content.size());
      const size_t padding = random() % 3 == 0 ? random() % 256 : 0;
      const bool padded = padding > 0;
      bytes += FrameBytes(http2::kData, padded ? http2::kPadded : 0, stream,
                          (padded ? std::string(1, static_cast<char>(padding)) : "") + content +
                              std::string(padding, '\0'));
      std::string& unfinished = model[stream];
      unfinished += content;
      while (unfinished.size() >= 5) {
        const auto at = [&](size_t i) { return uint32_t{static_cast<uint8_t>(unfinished[i])}; };
        const size_t size = 5 + (at(1) << 24 | at(2) << 16 | at(3) << 8 | at(4));
        if (unfinished.size() < size) break;
        unfinished.erase(0, size);
      }
      if (unfinished.empty()) model.erase(stream);
    }
    Messages all;
    size_t from = 0;
    for (const size_t cut : RandomCuts(bytes.size(), random() % 40, &random)) {
      all.Take(bytes.substr(from, cut - from));
      from = cut;
    }
    all.Take(bytes.substr(from));
    ASSERT_EQ(all.messages.streams(), model.size()) << round;
    int64_t least = 0;
    for (const auto& [stream, unfinished] : model) least += static_cast<int64_t>(unfinished.size());
    ASSERT_GE(all.messages.bytes(), least) << round;
    if (model.empty()) {
      ASSERT_EQ(all.messages.bytes(), 0) << round;
    }
  }
}

}  // namespace
}  // namespace ferrite
