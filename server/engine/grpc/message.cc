#include "server/engine/grpc/message.h"

#include <grpc/slice.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace grpc::internal {

// Whom gRPC lets look into a buffer.
class GrpcByteBufferPeer {
 public:
  static const grpc_byte_buffer* Inside(ByteBuffer* buffer) { return buffer->c_buffer(); }
};

}  // namespace grpc::internal

namespace ferrite {
namespace {

std::string_view ViewOf(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace

void ReceivedMessage::Clear() {
  request_.reset();
  slices_.clear();
  slice_ = grpc::Slice();
  buffer_.Clear();
}

bool ReceivedMessage::compressed() const {
  const grpc_byte_buffer* const inside = grpc::internal::GrpcByteBufferPeer::Inside(&buffer_);
  return inside != nullptr && inside->data.raw.compression != GRPC_COMPRESS_NONE;
}

void ReceivedMessage::Open() const {
  if (!buffer_.Valid()) {
    request_.emplace();
  } else if (buffer_.TrySingleSlice(&slice_).ok()) {
    request_.emplace(ViewOf(slice_));
  } else {
    std::vector<std::string_view> pieces;
    if (buffer_.Dump(&slices_).ok()) {
      for (const grpc::Slice& slice : slices_) pieces.push_back(ViewOf(slice));
    }
    request_.emplace(std::move(pieces));
  }
}

grpc::ByteBuffer TakeMessage(ReplyWriter* writer) {
  if (const std::string_view small = writer->small(); small.data() != nullptr) {
    grpc_slice copy = grpc_slice_malloc(small.size());
    std::memcpy(GRPC_SLICE_START_PTR(copy), small.data(), small.size());
    writer->Clear();
    const grpc::Slice slice(copy, grpc::Slice::STEAL_REF);
    return grpc::ByteBuffer(&slice, 1);
  }
  std::vector<grpc::Slice> slices;
  for (const Piece& piece : writer->Take()) {
    slices.emplace_back(const_cast<char*>(piece.data), piece.size, piece.release, piece.owner);
  }
  return grpc::ByteBuffer(slices.data(), slices.size());
}

}  // namespace ferrite
