#pragma once

// How much of a connection is read before others have their turn.
//
// gRPC reads a connection for as long as there is something to read, and deals with the streams
// that were begun only afterwards: each of them costs 13 KiB until then. So a rate over time does
// not bound what a client has begun at once. A turn does: after so many new streams nothing more is
// read until a serving thread has dealt with them and asks for what to do next.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "server/guard/frame_limits.h"

namespace ferrite {

// Belongs to whoever reads from the connection.
class ReadTurn {
 public:
  // How many bytes may be read in the turn of that number, in which it may begin so many streams;
  // `data_bytes` of them cannot begin any. 0: none before the next.
  size_t Allowance(uint64_t turn, int64_t streams, size_t data_bytes, const FrameLimits& limits) {
    if (turn != turn_) {
      turn_ = turn;
      streams_ = 0;
    }
    const int64_t left = streams - streams_;
    if (left <= 0) return 0;
    return std::min(limits.read_bytes, data_bytes + static_cast<size_t>(left) * stream_bytes_);
  }
  // That was read, and as many streams were begun in it.
  void Add(size_t bytes, int64_t streams) {
    streams_ += streams;
    // Clients that begin many streams in a row begin more: then no read takes more than the turn
    // has left. Where there were few, they may be as small as they like, so reads grow back little.
    const size_t now = streams > 0 ? bytes / static_cast<size_t>(streams) : kMostStreamBytes;
    stream_bytes_ =
        std::clamp(now, kLeastStreamBytes, std::min(2 * stream_bytes_, kMostStreamBytes));
  }

 private:
  // Of HEADERS whose fields are all in the connection's table.
  static constexpr size_t kLeastStreamBytes = 12;
  static constexpr size_t kMostStreamBytes = 256;
  // As long as nothing is known.
  static constexpr size_t kFirstStreamBytes = 128;

  uint64_t turn_ = 0;
  int64_t streams_ = 0;                      // begun in it
  size_t stream_bytes_ = kFirstStreamBytes;  // for each stream, lately
};

}  // namespace ferrite
