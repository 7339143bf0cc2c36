// Pins the slot function exactly: a server and a client that disagree on it lose keys.
//
// The vectors follow from the definition, not from the code under test; the oracle below computes
// the same definition bit by bit, where the code under test uses a table.

#include "proto/slot.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace ferrite {
namespace {

using namespace std::string_view_literals;

struct Vector {
  std::string_view key;
  uint32_t slot;
};

constexpr Vector kVectors[] = {
    {"", 0},
    {"123456789", 12739},  // 0x31C3, the check value of CRC16/XMODEM
    {"foo", 12182},
    {"bar", 5061},
    {"hello", 866},
    {"key", 12539},
    {"test", 6918},
    {"k1", 12706},
    {"somekey", 11058},
    {"user1000", 3443},
    {"{user1000}.following", 3443},
    {"foo{hash_tag}", 2515},
    {"foo{bar}{zap}", 5061},
    {"foo{{bar}}zap", 4015},
    {"{bar", 4015},
    {"foo{}{bar}", 8363},
    {"{}", 15257},
    {"{", 4092},
    {"}{a}", 15495},
    {"{a}b}", 15495},
    {"a}{b}", 3300},
    {"\xD0\xBA\xD0\xBB\xD1\x8E\xD1\x87"sv, 10303},  // "ключ" in UTF-8
    {"\xFF\xFF\xFF"sv, 4716},
};

std::string EveryByte() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

// CRC16/XMODEM by its definition: polynomial 0x1021, initial value 0, no reflection, one bit at a
// time.
uint16_t BitwiseCrc(std::string_view bytes) {
  uint16_t crc = 0;
  for (const unsigned char byte : bytes) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool carry = ((crc >> 15) & 1) != ((byte >> bit) & 1);
      crc = static_cast<uint16_t>(crc << 1);
      if (carry) crc ^= 0x1021;
    }
  }
  return crc;
}

// The bytes that count, found by a simple loop: the tag opens at the first '{' and closes at the
// first '}' after it.
std::string_view TagOrKey(std::string_view key) {
  size_t open = 0;
  while (open < key.size() && key[open] != '{') ++open;
  size_t close = open + 1;
  while (close < key.size() && key[close] != '}') ++close;
  if (close >= key.size() || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

uint32_t OracleSlot(std::string_view key) { return BitwiseCrc(TagOrKey(key)) & 0x3FFF; }

TEST(SlotTest, EveryVectorOfTheContract) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(SlotOf(vector.key), vector.slot) << "key \"" << vector.key << '"';
  }
  EXPECT_EQ(SlotOf(EveryByte()), 16155u);
}

TEST(SlotTest, OracleAgreesWithTheVectors) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(OracleSlot(vector.key), vector.slot) << "key \"" << vector.key << '"';
  }
  EXPECT_EQ(OracleSlot(EveryByte()), 16155u);
}

TEST(SlotTest, KeysWithOneTagShareASlot) {
  EXPECT_EQ(SlotOf("{user1000}.following"), SlotOf("{user1000}.followers"));
  EXPECT_EQ(SlotOf("a{tag}b"), SlotOf("{tag}"));
  EXPECT_EQ(SlotOf("{tag}{other}"), SlotOf("tag"));
}

TEST(SlotTest, AnEmptyTagIsNoTag) { EXPECT_NE(SlotOf("{}one"), SlotOf("{}two")); }

TEST(SlotTest, NulIsAByteLikeAnyOther) {
  EXPECT_EQ(SlotOf("\0"sv), 0u);  // a zero byte leaves a zero CRC
  EXPECT_EQ(SlotOf("a\0b"sv), OracleSlot("a\0b"sv));
  EXPECT_NE(SlotOf("a\0b"sv), SlotOf("a"sv));
  EXPECT_EQ(SlotOf("x{\0tag}"sv), SlotOf("\0tag"sv));
}

TEST(SlotTest, AgreesWithTheOracleOnRandomBytes) {
  std::mt19937 random(20221115);
  std::uniform_int_distribution<size_t> length(0, 300);
  std::uniform_int_distribution<int> byte(0, 255);
  for (int round = 0; round < 20'000; ++round) {
    std::string key(length(random), '\0');
    for (char& c : key) c = static_cast<char>(byte(random));
    ASSERT_EQ(SlotOf(key), OracleSlot(key)) << "round " << round;
  }
}

TEST(SlotTest, AgreesWithTheOracleOnRandomBraces) {
  std::mt19937 random(7);
  std::uniform_int_distribution<size_t> length(0, 8);
  std::uniform_int_distribution<size_t> pick(0, 3);
  for (int round = 0; round < 50'000; ++round) {
    std::string key(length(random), '\0');
    for (char& c : key) c = "{}ab"[pick(random)];
    ASSERT_EQ(SlotOf(key), OracleSlot(key)) << "key \"" << key << '"';
  }
}

TEST(SlotTest, StaysInRangeAndReachesEverySlot) {
  std::string reached(kSlotCount, 'n');
  size_t missing = kSlotCount;
  for (int number = 0; missing > 0 && number < 1'000'000; ++number) {
    const uint32_t slot = SlotOf(std::to_string(number));
    ASSERT_LT(slot, kSlotCount);
    if (reached[slot] == 'n') --missing;
    reached[slot] = 'y';
  }
  EXPECT_EQ(missing, 0u);
}

}  // namespace
}  // namespace ferrite
