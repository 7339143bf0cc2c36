#pragma once

// What the tests of the codecs share: a sink, random content, and unknown fields.

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "proto/wire/field_writer.h"

namespace ferrite {

// What codecs append to. It checks nothing itself: AddressSanitizer finds a codec that writes
// beyond its room, and a comparison of all bytes one that writes less.
class StringSink {
 public:
  char* Append(size_t size) {
    bytes_.emplace_back(size, '\xee');
    return bytes_.back().data();
  }
  void AppendCopy(std::string_view bytes) { bytes_.emplace_back(bytes); }
  std::string Take() {
    std::string all;
    for (const std::string& piece : bytes_) all += piece;
    bytes_.clear();
    return all;
  }

 private:
  std::vector<std::string>
      bytes_;  // one string for each append, so that a sanitizer sees where its room ends
};

// Random content, with many sizes at which a length or an integer takes one byte more.
class RandomContent {
 public:
  explicit RandomContent(uint32_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(int in) { return Below(in) == 0; }
  // An integer of any magnitude, or 0.
  uint64_t Integer() { return Chance(5) ? 0 : random_() >> Below(64); }
  std::string Bytes() {
    constexpr size_t kSizes[] = {0, 1, 16, 126, 127, 128, 129, 300, 16'383, 16'384};
    std::string bytes(kSizes[Below(std::size(kSizes))], '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

 private:
  std::mt19937_64 random_;
};

// Fields of every kind that no message of ferrite.v1 has.
inline std::string UnknownFields() {
  std::string fields(100, '\0');
  FieldWriter writer(fields.data());
  writer.Integer(1000, 300);
  writer.Fixed64(1001, 1);
  writer.Bytes(1002, "unknown");
  writer.Content({"\xdd\x3e\x01\x02\x03\x04", 6});  // fixed32, number 1003
  fields.resize(reinterpret_cast<char*>(writer.at()) - fields.data());
  return fields;
}

}  // namespace ferrite
