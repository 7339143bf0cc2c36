#pragma once

// Frames of HTTP/2, for those who look at them one by one.

#include <cstddef>
#include <cstdint>

namespace ferrite {

namespace http2 {
// RFC 9113, sections 3.4, 4.1 and 6.
inline constexpr size_t kPrefaceBytes = 24;
inline constexpr size_t kHeadBytes = 9;
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kResetStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
enum FrameFlag : uint8_t { kEndStream = 1, kAck = 1, kEndHeaders = 4, kPadded = 8 };
}  // namespace http2

}  // namespace ferrite
