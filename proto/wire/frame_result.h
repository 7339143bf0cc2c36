#pragma once

// The results of a frame (ferrite.v1.PipelineResponse), as clients read them. A server writes them
// by nesting.h.
//
//   FrameResultReader results(reply);
//   while (std::optional<FrameResult> result = results.Next()) Take(*result);

#include <optional>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"

namespace ferrite {

// One OperationResult.
struct FrameResult {
  // The field that is set: that of the response or of the error. 0: none.
  int field = 0;
  // The message in it. Points into the reply.
  std::string_view message;
};

// Reads a serialized OperationResult. Absent if it is malformed.
inline std::optional<FrameResult> ReadFrameResult(std::string_view message) {
  FrameResult result;
  FieldReader field(message);
  while (field.Next()) {
    if (field.holds_bytes()) result = {field.number(), field.bytes()};  // the last one counts
  }
  if (!field.well_formed()) return std::nullopt;
  return result;
}

// Not thread-safe.
class FrameResultReader {
 public:
  // `reply` must stay in place.
  explicit FrameResultReader(std::string_view reply) : field_(reply) {}

  // The next result. Absent at the end of the reply and where it is malformed.
  std::optional<FrameResult> Next() {
    while (field_.Next()) {
      if (field_.Is(v1::PipelineResponse::kResultsFieldNumber)) {
        return ReadFrameResult(field_.bytes());
      }
    }
    return std::nullopt;
  }

  // Whether everything read so far was well formed. Ask when Next() has returned nothing.
  bool well_formed() const { return field_.well_formed(); }

 private:
  FieldReader field_;
};

}  // namespace ferrite
