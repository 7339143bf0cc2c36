#include "proto/slot.h"

#include <array>

namespace ferrite {
namespace {

// Eight bytes at a time, whose table look-ups do not wait for each other: tables[n] has the CRC of
// each byte with n zeros behind it.
constexpr size_t kStride = 8;
using CrcTables = std::array<std::array<uint16_t, 256>, kStride>;

constexpr uint16_t Append(uint16_t crc, uint8_t byte, const std::array<uint16_t, 256>& table) {
  return static_cast<uint16_t>((crc << 8) ^ table[(crc >> 8) ^ byte]);
}

constexpr CrcTables MakeCrcTables() {
  CrcTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    tables[0][byte] = static_cast<uint16_t>(crc);
  }
  for (size_t zeros = 1; zeros < kStride; ++zeros) {
    for (size_t byte = 0; byte < 256; ++byte) {
      tables[zeros][byte] = Append(tables[zeros - 1][byte], 0, tables[0]);
    }
  }
  return tables;
}

constexpr CrcTables kCrcTables = MakeCrcTables();

uint16_t CrcOf(std::string_view bytes) {
  uint16_t crc = 0;
  auto next = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= kStride; left -= kStride, next += kStride) {
    uint16_t sum = kCrcTables[7][next[0] ^ (crc >> 8)] ^ kCrcTables[6][next[1] ^ (crc & 0xFF)];
    for (size_t i = 2; i < kStride; ++i) sum ^= kCrcTables[kStride - 1 - i][next[i]];
    crc = sum;
  }
  for (; left > 0; --left, ++next) crc = Append(crc, *next, kCrcTables[0]);
  return crc;
}

std::string_view HashedPart(std::string_view key) {
  const size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

}  // namespace

uint32_t SlotOf(std::string_view key) { return CrcOf(HashedPart(key)) % kSlotCount; }

}  // namespace ferrite
