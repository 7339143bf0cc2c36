#include "client/cli/bench/frame_reply.h"

#include "client/reply_bytes.h"
#include "proto/wire/frame_result.h"

namespace ferrite::cli {
namespace {

using Result = v1::OperationResult;

int ReplyFieldOf(Workload::Kind kind) {
  if (kind == Workload::Kind::kSet) return Result::kSetFieldNumber;
  if (kind == Workload::Kind::kIncr) return Result::kIncrFieldNumber;
  return Result::kGetFieldNumber;
}

// Whether an integer field of the message is set and not 0. Reads no further than that field.
bool IsSet(int number, std::string_view message) {
  FieldReader field(message);
  while (field.Next()) {
    if (field.IsInteger(number)) return field.integer() != 0;
  }
  return false;
}

std::optional<uint64_t> CodeOf(std::string_view error) {
  FieldReader field(error);
  while (field.Next()) {
    if (field.IsInteger(v1::OperationError::kCodeFieldNumber)) return field.integer();
  }
  return std::nullopt;
}

// False if the result is not that of an operation of this kind.
bool CountResult(const FrameResult& result, Workload::Kind kind, OutcomeCounts* counts) {
  if (result.field == Result::kErrorFieldNumber) {
    const std::optional<uint64_t> code = CodeOf(result.message);
    if (!code.has_value() || *code >= kStatusCodes) return false;
    ++counts->errors[*code];
    return true;
  }
  if (result.field != ReplyFieldOf(kind)) return false;
  ++counts->done;
  if (kind == Workload::Kind::kGet) {
    counts->hits += IsSet(v1::GetResponse::kFoundFieldNumber, result.message);
  }
  return true;
}

}  // namespace

std::optional<FrameCounts> CountReply(const grpc::ByteBuffer& reply,
                                      std::span<const Workload::Kind> kinds) {
  FrameCounts counts;
  const ReplyBytes bytes(reply);
  FrameResultReader results(bytes.view());
  for (const Workload::Kind kind : kinds) {
    OutcomeCounts* const of = kind == Workload::Kind::kGet ? &counts.reads : &counts.writes;
    const std::optional<FrameResult> result = results.Next();
    if (!result.has_value() || !CountResult(*result, kind, of)) return std::nullopt;
  }
  if (results.Next().has_value() || !results.well_formed()) return std::nullopt;
  return counts;
}

}  // namespace ferrite::cli
