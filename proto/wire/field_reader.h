#pragma once

// Walks the fields of a serialized message without making an object of it: what it returns points
// into the bytes. For messages of the hot path, where an object would cost more than the work. It
// accepts and refuses what protobuf does (tests/fuzz/wire_fuzz.cc).
//
//   for (FieldReader field(message); field.Next();) {
//     if (field.Is(v1::GetRequest::kKeyFieldNumber)) key = field.bytes();
//   }
//
// Source: https://protobuf.dev/programming-guides/encoding/

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ferrite {

// Not thread-safe.
class FieldReader {
 public:
  // `message` must stay in place.
  explicit FieldReader(std::string_view message)
      : next_(message.data()), end_(message.data() + message.size()) {}

  // Moves to the next field. False at the end of the message and where it is malformed.
  bool Next();

  // Whether everything read so far was well formed. Ask when Next() has returned false.
  bool well_formed() const { return well_formed_; }

  // The number of the current field.
  int number() const { return static_cast<int>(tag_ >> kTypeBits); }
  // Whether the current field holds bytes, a string or a message.
  bool holds_bytes() const { return (tag_ & kTypeMask) == kBytes; }

  // Whether the current field has this number and holds bytes, a string or a message.
  bool Is(int number) const { return tag_ == TagOf(number, kBytes); }
  // Whether it has this number and holds an integer, an enum or a boolean.
  bool IsInteger(int number) const { return tag_ == TagOf(number, kVarint); }
  // Whether it has this number and holds a fixed64.
  bool IsFixed64(int number) const { return tag_ == TagOf(number, kFixed64); }

  // The content of the current field, of the kind that it holds.
  std::string_view bytes() const { return bytes_; }
  uint64_t integer() const { return integer_; }
  uint64_t fixed64() const {
    uint64_t value;
    std::memcpy(&value, bytes_.data(), sizeof(value));
    return value;
  }

 private:
  enum WireType : uint32_t {
    kVarint = 0,
    kFixed64 = 1,
    kBytes = 2,
    kGroup = 3,  // which proto3 does not have, and skips
    kEndGroup = 4,
    kFixed32 = 5
  };
  static constexpr int kTypeBits = 3;
  static constexpr uint32_t kTypeMask = (1 << kTypeBits) - 1;

  static constexpr uint32_t TagOf(int number, WireType type) {
    return static_cast<uint32_t>(number) << kTypeBits | type;
  }

  bool Fail() {
    well_formed_ = false;
    return false;
  }
  // A varint of at most so many bytes; bits beyond the last that the type has are dropped.
  template <int kMostBytes>
  bool ReadVarint(uint64_t* value);
  bool ReadTag();
  // What follows the tag, if that is no group.
  bool ReadContent();
  bool ReadBytes(uint64_t size);
  // The rest of the group that the tag has begun.
  bool SkipGroup();

  const char* next_;
  const char* const end_;
  uint32_t tag_ = 0;
  uint64_t integer_ = 0;
  std::string_view bytes_;
  bool well_formed_ = true;
};

template <int kMostBytes>
inline bool FieldReader::ReadVarint(uint64_t* value) {
  if (next_ < end_ && static_cast<uint8_t>(*next_) < 0x80) [[likely]] {
    *value = static_cast<uint8_t>(*next_++);
    return true;
  }
  uint64_t result = 0;
  for (int shift = 0; shift < 7 * kMostBytes && next_ < end_; shift += 7) {
    const auto byte = static_cast<uint8_t>(*next_++);
    result |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) {
      *value = result;
      return true;
    }
  }
  return false;
}

inline bool FieldReader::ReadTag() {
  uint64_t tag;
  if (!ReadVarint<5>(&tag)) return false;
  tag_ = static_cast<uint32_t>(tag);
  return tag_ >> kTypeBits != 0;
}

inline bool FieldReader::ReadBytes(uint64_t size) {
  if (size > static_cast<uint64_t>(end_ - next_)) return false;
  bytes_ = std::string_view(next_, size);
  next_ += size;
  return true;
}

inline bool FieldReader::ReadContent() {
  switch (tag_ & kTypeMask) {
    case kVarint:
      return ReadVarint<10>(&integer_);
    case kBytes: {
      uint64_t size;
      return ReadVarint<5>(&size) && ReadBytes(size);
    }
    case kFixed64:
      return ReadBytes(8);
    case kFixed32:
      return ReadBytes(4);
    default:
      return false;
  }
}

inline bool FieldReader::Next() {
  if (next_ == end_) return false;
  if (!ReadTag()) return Fail();
  if ((tag_ & kTypeMask) == kGroup) [[unlikely]]
    return SkipGroup() || Fail();
  return ReadContent() || Fail();
}

}  // namespace ferrite
