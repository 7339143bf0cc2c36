#pragma once

// Walks the fields of a serialized message without making an object of it: what is read points into
// the bytes. For messages of the hot path, where objects would cost more than the work itself.
//
//   for (FieldReader field(message); field.Next();) {
//     if (field.Is(1)) key = field.bytes();
//   }
//
// Source: https://protobuf.dev/programming-guides/encoding/

#include <cstdint>
#include <string_view>

namespace ferrite {

// Not thread-safe.
class FieldReader {
 public:
  // `message` must stay in place.
  explicit FieldReader(std::string_view message)
      : next_(message.data()), end_(message.data() + message.size()) {}

  // Goes to the next field. False at the end of the message or when it is malformed.
  bool Next();

  // Whether what was read until now is a message. Ask when Next has returned false.
  bool well_formed() const { return well_formed_; }

  // Whether the current field has this number and holds bytes or a message.
  bool Is(uint32_t number) const { return tag_ == (number << 3 | kBytes); }
  // Whether it has this number and holds an integer or a boolean.
  bool IsInteger(uint32_t number) const { return tag_ == (number << 3 | kVarint); }

  // The content of the current field, as its kind says.
  std::string_view bytes() const { return bytes_; }
  uint64_t integer() const { return integer_; }

 private:
  enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  bool Fail() {
    well_formed_ = false;
    return false;
  }
  bool ReadVarint(uint64_t* value);
  bool ReadLongVarint(uint64_t* value);
  bool ReadBytes(uint64_t size);

  const char* next_;
  const char* const end_;
  uint64_t tag_ = 0;
  uint64_t integer_ = 0;
  std::string_view bytes_;
  bool well_formed_ = true;
};

inline bool FieldReader::ReadVarint(uint64_t* value) {
  if (next_ < end_ && static_cast<uint8_t>(*next_) < 0x80) [[likely]] {
    *value = static_cast<uint8_t>(*next_++);
    return true;
  }
  return ReadLongVarint(value);
}

inline bool FieldReader::ReadLongVarint(uint64_t* value) {
  constexpr int kMaxBits = 64;
  uint64_t result = 0;
  for (int shift = 0; shift < kMaxBits && next_ < end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*next_++);
    result |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

inline bool FieldReader::ReadBytes(uint64_t size) {
  if (size > static_cast<uint64_t>(end_ - next_)) return Fail();
  bytes_ = std::string_view(next_, size);
  next_ += size;
  return true;
}

inline bool FieldReader::Next() {
  if (next_ == end_) return false;
  constexpr uint64_t kMaxTag = 0xFFFFFFFF;
  if (!ReadVarint(&tag_) || tag_ > kMaxTag || tag_ >> 3 == 0) return Fail();
  switch (tag_ & 7) {
    case kVarint:
      return ReadVarint(&integer_) || Fail();
    case kBytes: {
      uint64_t size;
      return ReadVarint(&size) ? ReadBytes(size) : Fail();
    }
    case kFixed64:
      return ReadBytes(8);
    case kFixed32:
      return ReadBytes(4);
    default:  // groups, which proto3 does not have
      return Fail();
  }
}

}  // namespace ferrite
