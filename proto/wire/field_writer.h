#pragma once

// Writes the fields of a message into memory whose size was worked out before: the counterpart of
// FieldReader. As in proto3, a field that has its default value is left out by not writing it.
//
//   const size_t bytes = BytesFieldSize(v1::GetRequest::kKeyFieldNumber, key);
//   FieldWriter writer(memory);  // of that many bytes
//   writer.Bytes(v1::GetRequest::kKeyFieldNumber, key);
//
// Source: https://protobuf.dev/programming-guides/encoding/

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"

namespace ferrite {

// How many bytes an integer takes: 1 to 10.
constexpr size_t VarintSize(uint64_t value) {
  // 7 bits a byte: bit_width / 7, rounded up, without a division.
  return (static_cast<size_t>(std::bit_width(value | 1)) * 9 + 64) / 64;
}

// How many bytes the tag of a field takes.
constexpr size_t TagSize(int number) { return VarintSize(static_cast<uint64_t>(number) << 3); }

// How many bytes a field takes: one that holds an integer, the head of one that holds `size` bytes,
// and such a field as a whole.
constexpr size_t IntegerFieldSize(int number, uint64_t value) {
  return TagSize(number) + VarintSize(value);
}
constexpr size_t HeadSize(int number, size_t size) { return TagSize(number) + VarintSize(size); }
constexpr size_t BytesFieldSize(int number, size_t size) { return HeadSize(number, size) + size; }
constexpr size_t BytesFieldSize(int number, std::string_view bytes) {
  return BytesFieldSize(number, bytes.size());
}
constexpr size_t Fixed64FieldSize(int number) { return TagSize(number) + sizeof(uint64_t); }

// The tag of a field that holds bytes or a message and has a number below 16.
class OneByteTag {
 public:
  constexpr OneByteTag() = default;
  consteval explicit OneByteTag(int number) : tag_(static_cast<uint8_t>(number << 3 | 2)) {
    FERRITE_CHECK(number >= 1 && number < 16);
  }
  uint8_t byte() const { return tag_; }

 private:
  uint8_t tag_ = 0;
};

// Not thread-safe.
class FieldWriter {
 public:
  // Writes from `at` on. The caller has made enough room.
  explicit FieldWriter(char* at) : at_(reinterpret_cast<uint8_t*>(at)) {}
  explicit FieldWriter(uint8_t* at) : at_(at) {}

  // Where the next field goes.
  uint8_t* at() const { return at_; }
  // Goes on at `at`, where something else has written up to.
  void MoveTo(uint8_t* at) { at_ = at; }

  // Write a field: an integer (an enum, a boolean), a fixed64, bytes (a string).
  void Integer(int number, uint64_t value) {
    Tag(number, kVarint);
    Varint(value);
  }
  void Fixed64(int number, uint64_t value) {
    Tag(number, kFixed64);
    std::memcpy(at_, &value, sizeof(value));
    at_ += sizeof(value);
  }
  void Bytes(int number, std::string_view bytes) {
    Head(number, bytes.size());
    Content(bytes);
  }

  // The two parts of a field that holds `size` bytes or a message of that size.
  void Head(int number, size_t size) {
    Tag(number, kBytes);
    Varint(size);
  }
  void Head(OneByteTag tag, size_t size) {
    *at_++ = tag.byte();
    Varint(size);
  }
  void Content(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }

 private:
  enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2 };

  void Tag(int number, WireType type) { Varint(static_cast<uint32_t>(number) << 3 | type); }
  void Varint(uint64_t value) {
    constexpr uint64_t kMore = 0x80;
    for (; value >= kMore; value >>= 7) *at_++ = static_cast<uint8_t>(value | kMore);
    *at_++ = static_cast<uint8_t>(value);
  }

  uint8_t* at_;
};

static_assert(std::endian::native == std::endian::little, "fixed64 fields are copied as they are");

}  // namespace ferrite
