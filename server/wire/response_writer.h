#pragma once

// The responses of the hot path, written field by field as cache.proto numbers them.

#include <cstdint>
#include <string_view>

#include "google/protobuf/message_lite.h"
#include "server/wire/reply_writer.h"
#include "store/operation.h"

namespace ferrite {

// The fields that a response is the content of, outermost first.
struct Nesting {
  int depth = 0;
  uint32_t fields[2] = {};
};
inline constexpr Nesting kWholeReply = {};
inline constexpr Nesting kMGetResult = {1, {1}};         // MGetResponse.results
inline constexpr Nesting kReadOutcome = {2, {1, 1}};     // PipelineResponse.results, .get
inline constexpr Nesting kSetOutcome = {2, {1, 2}};      // .set
inline constexpr Nesting kDeleteOutcome = {2, {1, 3}};   // .delete
inline constexpr Nesting kPublishOutcome = {2, {1, 6}};  // .publish
inline constexpr Nesting kPipelineResult = {1, {1}};     // an OperationResult as a whole

// WriteRead appends the value and no more than this besides: two heads of 1 + 4 bytes, `found` 2,
// the head of the value 5, version and ttl_ms 1 + 10 each, `not_modified` 2.
inline constexpr size_t kMostAroundValueBytes = 41;

// How many bytes WriteRead appends.
size_t ReadBytes(const Nesting& nesting, const ReadResult& result);

// Appends a GetResponse.
void WriteRead(const Nesting& nesting, const ReadResult& result, ReplyWriter* reply);

// Appends a message whose fields 1 and 2 are numbers: a SetResponse without `previous` or a
// DeleteResponse, which say whether and which version, or a PublishResponse.
void WriteNumbers(const Nesting& nesting, uint64_t first, uint64_t second, ReplyWriter* reply);

// Appends any message.
void WriteMessage(const Nesting& nesting, const google::protobuf::MessageLite& message,
                  ReplyWriter* reply);

}  // namespace ferrite
