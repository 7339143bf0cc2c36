#pragma once

// Frames of Pipeline, written without message objects: the server makes none, so its load generator
// must not make any either.

#include <string>
#include <vector>

#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/workload.h"
#include "grpcpp/support/byte_buffer.h"

namespace ferrite::cli {

// Not thread-safe.
class FrameWriter {
 public:
  // Frames of options.batch operations, each of options.op.
  explicit FrameWriter(const BenchOptions& options);

  // The next frame of `workload`.
  grpc::ByteBuffer Write(Workload* workload);

  // The kinds of that frame's operations, in order: kGet, kSet or kIncr.
  const std::vector<Workload::Kind>& kinds() const { return kinds_; }

 private:
  // The size of a request of that kind. All keys have the same size.
  size_t RequestSizeOf(Workload::Kind kind) const;

  const size_t read_size_;   // of a GetRequest or IncrRequest
  const size_t write_size_;  // of a SetRequest
  std::vector<Workload::Kind> kinds_;
  std::string key_;
};

}  // namespace ferrite::cli
