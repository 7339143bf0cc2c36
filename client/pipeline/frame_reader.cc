#include "client/pipeline/frame_reader.h"

#include "ferrite/v1/cache.pb.h"

namespace ferrite {
namespace {

using google::protobuf::io::CodedInputStream;

// The low bits of a tag: how the field is written.
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr uint32_t kWireTypeBits = 3;
constexpr uint32_t kWireTypeMask = (1 << kWireTypeBits) - 1;

constexpr uint32_t kResultTag = v1::PipelineResponse::kResultsFieldNumber << kWireTypeBits | kBytes;

grpc::Slice Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  // A reply that came in several pieces is copied together.
  if (!buffer.TrySingleSlice(&slice).ok() && !buffer.DumpToSingleSlice(&slice).ok()) return {};
  return slice;
}

// Reads the size of the message that comes and the message. False when it is not all there.
bool ReadMessage(CodedInputStream* input, std::string_view* message) {
  uint32_t size;
  const void* start;
  int left = 0;
  if (!input->ReadVarint32(&size)) return false;
  input->GetDirectBufferPointerInline(&start, &left);
  if (size > static_cast<uint32_t>(left)) return false;
  *message = {static_cast<const char*>(start), size};
  return input->Skip(static_cast<int>(size));
}

// Passes over a field that this client does not know.
bool Skip(CodedInputStream* input, uint32_t tag) {
  switch (tag & kWireTypeMask) {
    case kVarint: {
      uint64_t ignored;
      return input->ReadVarint64(&ignored);
    }
    case kFixed64:
      return input->Skip(8);
    case kBytes: {
      std::string_view ignored;
      return ReadMessage(input, &ignored);
    }
    case kFixed32:
      return input->Skip(4);
    default:
      return false;
  }
}

std::optional<OperationOutcome> ReadResult(std::string_view result) {
  CodedInputStream input(reinterpret_cast<const uint8_t*>(result.data()),
                         static_cast<int>(result.size()));
  OperationOutcome outcome;
  while (const uint32_t tag = input.ReadTag()) {
    if ((tag & kWireTypeMask) == kBytes) {
      if (!ReadMessage(&input, &outcome.message)) return std::nullopt;
      outcome.field = static_cast<int>(tag >> kWireTypeBits);
    } else if (!Skip(&input, tag)) {
      return std::nullopt;
    }
  }
  return outcome;
}

}  // namespace

FrameReader::FrameReader(const grpc::ByteBuffer& reply)
    : bytes_(Bytes(reply)), input_(bytes_.begin(), static_cast<int>(bytes_.size())) {}

std::optional<OperationOutcome> FrameReader::Next() {
  while (const uint32_t tag = input_.ReadTag()) {
    std::string_view result;
    if (tag == kResultTag) {
      if (!ReadMessage(&input_, &result)) return std::nullopt;
      return ReadResult(result);
    }
    if (!Skip(&input_, tag)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ferrite
