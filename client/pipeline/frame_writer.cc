#include "client/pipeline/frame_writer.h"

#include <algorithm>
#include <cstdint>

#include "grpc/slice.h"
#include "proto/wire/frame_operation.h"

namespace ferrite {
namespace {

OperationTerms TermsOf(const PendingCall& call, std::chrono::steady_clock::time_point now) {
  const int64_t left_ms =
      std::chrono::ceil<std::chrono::milliseconds>(call.terms().deadline - now).count();
  return {.timeout_ms = static_cast<uint32_t>(std::clamp<int64_t>(left_ms, 1, kNoTimeout)),
          .traceparent = call.terms().traceparent};
}

}  // namespace

grpc::ByteBuffer WriteFrame(const std::vector<PendingCall*>& calls,
                            std::chrono::steady_clock::time_point now) {
  size_t bytes = 0;
  for (const PendingCall* call : calls) {
    bytes += OperationInFrameSize(call->field(), call->request_bytes(), TermsOf(*call, now).Size());
  }
  grpc_slice slice = grpc_slice_malloc(bytes);
  FieldWriter writer(GRPC_SLICE_START_PTR(slice));
  for (const PendingCall* call : calls) {
    const OperationTerms terms = TermsOf(*call, now);
    WriteOperationHeads(call->field(), call->request_bytes(), terms.Size(), &writer);
    writer.MoveTo(call->WriteRequest(writer.at()));
    terms.Write(&writer);
  }
  const grpc::Slice frame(slice, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&frame, 1);
}

}  // namespace ferrite
