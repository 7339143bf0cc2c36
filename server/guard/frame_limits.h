#pragma once

// How much of each kind a client may send before the guard ends its connection.

#include <array>
#include <cstddef>
#include <cstdint>

#include "server/guard/cut_reason.h"

namespace ferrite {

// So many at once, and so many a second from then on.
struct FrameRate {
  int64_t burst = 0;
  int64_t per_second = 0;
};

// Rates by CutReason, well above what a node serves.
struct FrameLimits {
  std::array<FrameRate, kCountedFrames> connection = {{{6'000, 30'000},
                                                       {8'000, 400'000},
                                                       {4'096, 20'000},
                                                       {256, 100},
                                                       {1'024, 1'000},
                                                       {1'024, 1'000}}};
  // Of all connections together.
  std::array<FrameRate, kCountedFrames> process = {{{10'000, 40'000},
                                                    {64'000, 1'000'000},
                                                    {16'384, 100'000},
                                                    {4'096, 4'000},
                                                    {4'096, 4'000},
                                                    {4'096, 4'000}}};
  // Streams that one connection begins before it has to wait for its next turn (read_turn.h), at
  // most, and at least, where all together have begun so many in this one or take no answers to so
  // many; and bytes that are read at once: as many streams more may be among the last of them.
  int64_t streams_in_turns = 1'024;
  int64_t least_streams_in_turn = 4;
  int64_t most_streams_in_turn = 64;
  size_t read_bytes = size_t{32} << 10;
  // Of HEADERS and CONTINUATION before END_HEADERS, heads of frames included. gRPC refuses more
  // than 8 KiB, but reads all of it first.
  size_t header_block_bytes = size_t{32} << 10;
  // Streams of a client that has not acknowledged the server's SETTINGS, before which gRPC holds it
  // to no number of them. Clients do so before their first call.
  uint32_t unacknowledged_streams = 512;
  // PING and SETTINGS while the server can write nothing, as the client does not read.
  int64_t unanswered = 1'000;
  // Of messages and headers begun and not completed, of all connections together.
  int64_t unfinished_bytes = int64_t{16} << 20;
};

}  // namespace ferrite
