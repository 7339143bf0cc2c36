#include "client/pipeline/frame_writer.h"

#include "ferrite/v1/cache.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "grpc/slice.h"

namespace ferrite {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr uint8_t MessageTag(int field) { return static_cast<uint8_t>(field << 3 | 2); }

// A message field: its tag, which is one byte, its size, and the message.
size_t FieldBytes(size_t message_bytes) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(message_bytes)) + message_bytes;
}

uint8_t* WriteHead(int field, size_t message_bytes, uint8_t* to) {
  *to++ = MessageTag(field);
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(message_bytes), to);
}

}  // namespace

size_t BytesInFrame(const PendingCall& call) {
  return FieldBytes(FieldBytes(call.request_bytes()));
}

grpc::ByteBuffer WriteFrame(const std::vector<PendingCall*>& calls) {
  size_t bytes = 0;
  for (const PendingCall* call : calls) bytes += BytesInFrame(*call);
  grpc_slice slice = grpc_slice_malloc(bytes);
  uint8_t* to = GRPC_SLICE_START_PTR(slice);
  for (const PendingCall* call : calls) {
    const size_t operation_bytes = FieldBytes(call->request_bytes());
    to = WriteHead(v1::PipelineRequest::kOperationsFieldNumber, operation_bytes, to);
    to = WriteHead(call->field(), call->request_bytes(), to);
    to = call->WriteRequest(to);
  }
  const grpc::Slice frame(slice, grpc::Slice::STEAL_REF);
  return grpc::ByteBuffer(&frame, 1);
}

}  // namespace ferrite
