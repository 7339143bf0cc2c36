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

// What gRPC keeps of a stream that was reset, until the serving threads have dealt with it.
inline constexpr int64_t kResetStreamBytes = int64_t{13} << 10;

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
  // Streams begun and reset in one batch, which is what a thread reads before it does anything else
  // (ReadBatch). A client sends as many at once as it may have streams, when their deadlines pass
  // together.
  int64_t resets_in_batch = 1'200;
  int64_t resets_in_batches = 2'400;  // of all connections together
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
