#pragma once

// Why the guard ends a connection.

#include <array>
#include <cstddef>
#include <cstdint>

namespace ferrite {

enum class CutReason {
  kResets,          // streams reset
  kStreams,         // streams begun
  kPings,           // PING
  kSettings,        // SETTINGS
  kEmptyData,       // DATA that carries nothing and ends nothing
  kOtherFrames,     // PRIORITY, PUSH_PROMISE, GOAWAY, and what HTTP/2 does not know
  kHeaderBytes,     // a block of headers, of HEADERS and CONTINUATION, that does not end
  kUnfinishedBytes  // messages and headers begun and not completed, of all connections together
};
inline constexpr size_t kCutReasons = 8;
// Labels of metrics.
inline constexpr std::array<const char*, kCutReasons> kCutReasonNames = {
    "resets",     "streams",      "pings",        "settings",
    "empty_data", "other_frames", "header_bytes", "unfinished_bytes"};

// The first of them are frames that are counted, each by a rate.
inline constexpr size_t kCountedFrames = 6;
using FrameCounts = std::array<int64_t, kCountedFrames>;

}  // namespace ferrite
