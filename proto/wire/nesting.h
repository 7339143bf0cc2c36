#pragma once

// Messages inside of other messages, such as a GetResponse that is the outcome of one operation of
// a PipelineResponse. The reply as a whole is never built: its parts are appended one by one.
//
// What is appended to, the Sink, is anything that has `char* Append(size_t)`, which returns room
// for so many bytes that are filled in at once.

#include <cstddef>
#include <cstdint>

#include "ferrite/v1/cache.pb.h"
#include "google/protobuf/message_lite.h"
#include "proto/wire/field_writer.h"

namespace ferrite {

// The fields that a message is the content of, outermost first.
struct Nesting {
  int depth = 0;
  int fields[2] = {};
};

// A message that is the reply as a whole.
inline constexpr Nesting kWholeReply = {};
// One of the results of an MGet: a GetResponse.
inline constexpr Nesting kMGetResult = {1, {v1::MGetResponse::kResultsFieldNumber}};
// One of the results of a frame: an OperationResult.
inline constexpr Nesting kPipelineResult = {1, {v1::PipelineResponse::kResultsFieldNumber}};
// The response of the operation of which that is the result.
constexpr Nesting OutcomeInFrame(int outcome_field) {
  return {2, {v1::PipelineResponse::kResultsFieldNumber, outcome_field}};
}
inline constexpr Nesting kReadOutcome = OutcomeInFrame(v1::OperationResult::kGetFieldNumber);
inline constexpr Nesting kSetOutcome = OutcomeInFrame(v1::OperationResult::kSetFieldNumber);
inline constexpr Nesting kDeleteOutcome = OutcomeInFrame(v1::OperationResult::kDeleteFieldNumber);
inline constexpr Nesting kPublishOutcome = OutcomeInFrame(v1::OperationResult::kPublishFieldNumber);

// How many bytes stand before a message of `size` bytes.
constexpr size_t HeadsSize(const Nesting& nesting, size_t size) {
  size_t bytes = 0;
  for (int i = nesting.depth - 1; i >= 0; --i) bytes += HeadSize(nesting.fields[i], size + bytes);
  return bytes;
}

// Writes them.
inline void WriteHeads(const Nesting& nesting, size_t size, FieldWriter* writer) {
  if (nesting.depth == 2) {
    writer->Head(nesting.fields[0], size + HeadSize(nesting.fields[1], size));
  }
  if (nesting.depth >= 1) writer->Head(nesting.fields[nesting.depth - 1], size);
}

// Appends any message.
template <typename Sink>
void WriteMessage(const Nesting& nesting, const google::protobuf::MessageLite& message,
                  Sink* sink) {
  const size_t size = message.ByteSizeLong();
  FieldWriter writer(sink->Append(HeadsSize(nesting, size) + size));
  WriteHeads(nesting, size, &writer);
  message.SerializeWithCachedSizesToArray(writer.at());
}

}  // namespace ferrite
