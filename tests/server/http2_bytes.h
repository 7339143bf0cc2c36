#pragma once

// What a client of HTTP/2 sends, made by hand.

#include <cstdint>
#include <string>
#include <string_view>

namespace ferrite {

inline std::string Preface() { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; }

inline std::string BigEndian(uint32_t number, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(number >> (8 * bytes));
  return text;
}

inline std::string FrameBytes(uint8_t type, uint8_t flags, uint32_t stream,
                              std::string_view payload = {}) {
  std::string frame = BigEndian(static_cast<uint32_t>(payload.size()), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  frame += BigEndian(stream, 4);
  return frame.append(payload);
}

// A gRPC message of so many bytes, with the five before it.
inline std::string MessageBytes(uint32_t size) {
  return std::string(1, '\0') + BigEndian(size, 4) + std::string(size, 'm');
}

}  // namespace ferrite
