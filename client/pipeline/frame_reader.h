#pragma once

// Walks the outcomes in the bytes of a PipelineResponse.
//
//   FrameReader reader(reply);
//   while (std::optional<OperationOutcome> outcome = reader.Next()) Take(*outcome);

#include <optional>
#include <string_view>

#include "google/protobuf/io/coded_stream.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

namespace ferrite {

// One OperationResult.
struct OperationOutcome {
  // The number of the field that is set; 0: none.
  int field = 0;
  // The message in it, valid as long as the reader is there.
  std::string_view message;
};

class FrameReader {
 public:
  explicit FrameReader(const grpc::ByteBuffer& reply);

  // The next outcome; absent at the end, and where the reply is malformed.
  std::optional<OperationOutcome> Next();

 private:
  const grpc::Slice bytes_;
  google::protobuf::io::CodedInputStream input_;
};

}  // namespace ferrite
