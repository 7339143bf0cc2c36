#pragma once

// Messages inside of other messages, such as a GetResponse that is the outcome of one operation of
// a PipelineResponse. The reply as a whole is never built: its parts are appended one by one.
//
// What is appended to, the Sink, is anything that has `char* Append(size_t)`, which returns room
// for so many bytes that are filled in at once.

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "base/check.h"
#include "ferrite/v1/cache.pb.h"
#include "google/protobuf/message_lite.h"
#include "proto/wire/field_writer.h"

namespace ferrite {

// The fields that a message is the content of, outermost first: none, one or two, with numbers
// below 16, whose tags take one byte.
class Nesting {
 public:
  constexpr Nesting() = default;
  // `depth` is how many fields there are.
  consteval Nesting(int depth, std::initializer_list<int> fields) : depth_(depth) {
    FERRITE_CHECK(fields.size() == static_cast<size_t>(depth) && depth <= 2);
    int i = 0;
    for (const int field : fields) tags_[i++] = OneByteTag(field);
  }

  int depth() const { return depth_; }
  OneByteTag outer() const { return tags_[0]; }
  // The tag of the field whose content the message is. Depth at least 1.
  OneByteTag inner() const { return tags_[depth_ - 1]; }

 private:
  int depth_ = 0;
  OneByteTag tags_[2];
};

// A message that is the reply as a whole.
inline constexpr Nesting kWholeReply = {};
// One of the results of an MGet: a GetResponse.
inline constexpr Nesting kMGetResult = {1, {v1::MGetResponse::kResultsFieldNumber}};
// One of the results of a frame: an OperationResult.
inline constexpr Nesting kPipelineResult = {1, {v1::PipelineResponse::kResultsFieldNumber}};
// The response of the operation of which that is the result.
consteval Nesting OutcomeInFrame(int outcome_field) {
  return {2, {v1::PipelineResponse::kResultsFieldNumber, outcome_field}};
}
inline constexpr Nesting kReadOutcome = OutcomeInFrame(v1::OperationResult::kGetFieldNumber);
inline constexpr Nesting kSetOutcome = OutcomeInFrame(v1::OperationResult::kSetFieldNumber);
inline constexpr Nesting kDeleteOutcome = OutcomeInFrame(v1::OperationResult::kDeleteFieldNumber);
inline constexpr Nesting kPublishOutcome = OutcomeInFrame(v1::OperationResult::kPublishFieldNumber);

// How many bytes stand before a message of `size` bytes.
inline size_t HeadsSize(const Nesting& nesting, size_t size) {
  if (nesting.depth() == 0) return 0;
  const size_t inner = 1 + VarintSize(size);
  return nesting.depth() == 1 ? inner : inner + 1 + VarintSize(size + inner);
}

// Writes them.
inline void WriteHeads(const Nesting& nesting, size_t size, FieldWriter* writer) {
  if (nesting.depth() == 2) writer->Head(nesting.outer(), size + 1 + VarintSize(size));
  if (nesting.depth() >= 1) writer->Head(nesting.inner(), size);
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
