#include "client/cli/bench/frame_writer.h"

#include <algorithm>
#include <cstring>

#include "ferrite/v1/cache.pb.h"
#include "grpc/slice.h"
#include "grpcpp/support/slice.h"

namespace ferrite::cli {

FrameWriter::FrameWriter(const BenchOptions& options) : kinds_(options.batch) {
  const auto prepare = [&](char kind, auto mutable_request, auto fill) {
    WriteKey(kind, 0, options.key_size, &key_);
    v1::PipelineRequest frame;
    auto* const request = (frame.add_operations()->*mutable_request)();
    request->set_key(key_);
    fill(request);
    Prepared prepared{frame.SerializeAsString()};
    // Before the key there are only tags and lengths, and none of those is a letter before a digit.
    prepared.key_offset = prepared.bytes.find(key_);
    return prepared;
  };
  get_ = prepare(kEntryKey, &v1::Operation::mutable_get, [](auto*) {});
  set_ = prepare(kEntryKey, &v1::Operation::mutable_set,
                 [&](v1::SetRequest* set) { set->set_value(RandomValue(options.value_size, 0)); });
  incr_ = prepare(kCounterKey, &v1::Operation::mutable_incr, [](auto*) {});
}

const FrameWriter::Prepared& FrameWriter::Of(Workload::Kind kind) const {
  if (kind == Workload::Kind::kSet) return set_;
  if (kind == Workload::Kind::kIncr) return incr_;
  return get_;
}

grpc::ByteBuffer FrameWriter::Write(Workload* workload) {
  size_t bytes = 0;
  for (Workload::Kind& kind : kinds_) {
    kind = workload->NextKind();
    bytes += Of(kind).bytes.size();
  }
  grpc_slice memory = grpc_slice_malloc(bytes);
  uint8_t* next = GRPC_SLICE_START_PTR(memory);
  for (const Workload::Kind kind : kinds_) {
    const Prepared& operation = Of(kind);
    std::copy_n(operation.bytes.data(), operation.bytes.size(), next);
    kind == Workload::Kind::kIncr ? workload->NextCounterKey(&key_) : workload->NextKey(&key_);
    std::memcpy(next + operation.key_offset, key_.data(), key_.size());
    next += operation.bytes.size();
  }
  const grpc::Slice frame(memory, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&frame, 1);
}

}  // namespace ferrite::cli
