#include "client/pipeline/frame_writer.h"

#include "grpc/slice.h"
#include "proto/wire/frame_operation.h"

namespace ferrite {

grpc::ByteBuffer WriteFrame(const std::vector<PendingCall*>& calls) {
  size_t bytes = 0;
  for (const PendingCall* call : calls) {
    bytes += OperationInFrameSize(call->field(), call->request_bytes());
  }
  grpc_slice slice = grpc_slice_malloc(bytes);
  FieldWriter writer(GRPC_SLICE_START_PTR(slice));
  for (const PendingCall* call : calls) {
    WriteOperationHeads(call->field(), call->request_bytes(), &writer);
    writer.MoveTo(call->WriteRequest(writer.at()));
  }
  const grpc::Slice frame(slice, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&frame, 1);
}

}  // namespace ferrite
