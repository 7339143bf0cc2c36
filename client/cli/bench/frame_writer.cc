#include "client/cli/bench/frame_writer.h"

#include "ferrite/v1/cache.pb.h"
#include "grpc/slice.h"
#include "grpcpp/support/slice.h"
#include "proto/wire/frame_operation.h"

namespace ferrite::cli {
namespace {

using Kind = Workload::Kind;

constexpr int kKey = v1::GetRequest::kKeyFieldNumber;
static_assert(kKey == v1::SetRequest::kKeyFieldNumber && kKey == v1::IncrRequest::kKeyFieldNumber);
constexpr int kValue = v1::SetRequest::kValueFieldNumber;

int FieldOf(Kind kind) {
  if (kind == Kind::kSet) return v1::Operation::kSetFieldNumber;
  if (kind == Kind::kIncr) return v1::Operation::kIncrFieldNumber;
  return v1::Operation::kGetFieldNumber;
}

size_t KeySize(const BenchOptions& options) { return BytesFieldSize(kKey, options.key_size); }

}  // namespace

FrameWriter::FrameWriter(const BenchOptions& options)
    : read_size_(KeySize(options)),
      write_size_(KeySize(options) + BytesFieldSize(kValue, options.value_size)),
      kinds_(options.batch) {}

size_t FrameWriter::RequestSizeOf(Kind kind) const {
  return kind == Kind::kSet ? write_size_ : read_size_;
}

grpc::ByteBuffer FrameWriter::Write(Workload* workload) {
  size_t bytes = 0;
  for (Kind& kind : kinds_) {
    kind = workload->NextKind();
    bytes += OperationInFrameSize(FieldOf(kind), RequestSizeOf(kind));
  }
  grpc_slice memory = grpc_slice_malloc(bytes);
  FieldWriter writer(GRPC_SLICE_START_PTR(memory));
  for (const Kind kind : kinds_) {
    kind == Kind::kIncr ? workload->NextCounterKey(&key_) : workload->NextKey(&key_);
    WriteOperationHeads(FieldOf(kind), RequestSizeOf(kind), 0, &writer);
    writer.Bytes(kKey, key_);
    if (kind == Kind::kSet) writer.Bytes(kValue, workload->value());
  }
  const grpc::Slice frame(memory, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&frame, 1);
}

}  // namespace ferrite::cli
