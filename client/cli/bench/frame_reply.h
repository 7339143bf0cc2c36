#pragma once

// Counts the outcomes in a reply of Pipeline, reading no more of it than necessary.

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "client/cli/bench/tally.h"
#include "client/cli/bench/workload.h"
#include "grpcpp/support/byte_buffer.h"

namespace ferrite::cli {

struct OutcomeCounts {
  uint64_t done = 0;  // operations that did not fail
  uint64_t hits = 0;  // of those, reads that found their key
  std::array<uint64_t, kStatusCodes> errors{};
};

struct FrameCounts {
  OutcomeCounts reads;
  OutcomeCounts writes;
};

// Absent if the reply is not one outcome for each of `kinds` (kGet, kSet, kIncr), in their order.
std::optional<FrameCounts> CountReply(const grpc::ByteBuffer& reply,
                                      std::span<const Workload::Kind> kinds);

}  // namespace ferrite::cli
