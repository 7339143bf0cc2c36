#pragma once

#include <cstddef>
#include <string_view>

namespace ferrite {

// The first bytes of a text, at most so many: no letter of UTF-8 is cut apart.
inline std::string_view Beginning(std::string_view text, size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  constexpr size_t kMostBytesOfALetter = 4;
  size_t end = most_bytes;
  const auto is_within_letter = [&] { return (text[end] & '\xc0') == '\x80'; };
  while (end > 0 && most_bytes - end < kMostBytesOfALetter && is_within_letter()) --end;
  return text.substr(0, end);
}

}  // namespace ferrite
