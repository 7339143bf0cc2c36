#pragma once

// Frames of Pipeline, made by copying operations that were serialized before and writing keys into
// them: what loads a server that makes no message objects must not make any either.

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

  // Of the operations of that frame, in its order: kGet, kSet or kIncr.
  const std::vector<Workload::Kind>& kinds() const { return kinds_; }

 private:
  // A field `operations` of PipelineRequest with one operation, and where its key lies in it.
  struct Prepared {
    std::string bytes;
    size_t key_offset = 0;
  };

  const Prepared& Of(Workload::Kind kind) const;

  Prepared get_;
  Prepared set_;
  Prepared incr_;
  std::vector<Workload::Kind> kinds_;
  std::string key_;
};

}  // namespace ferrite::cli
