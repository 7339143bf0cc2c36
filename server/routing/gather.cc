#include "server/routing/gather.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/may_be_done.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/get_response.h"
#include "proto/wire/nesting.h"
#include "proto/wire/number_pair.h"
#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/operation_error.h"
#include "server/handlers/wire_handlers.h"
#include "server/metrics/refusals.h"
#include "server/routing/held_replies.h"

namespace ferrite {
namespace {

// The error of a result that is one, or that is no answer of the kind that was asked for. Counts
// what this node refused; its peers count what they do.
std::optional<v1::OperationError> ErrorOf(const ScatteredResult& scattered, int field) {
  const ForwardedResult& result = scattered.result;
  if (!result.status.ok()) {
    CountRefusal(result.status);
    return ToOperationError(result.status);
  }
  if (result.is_error()) return ErrorIn(result.message);
  if (result.field == field) return std::nullopt;
  return ToOperationError(absl::InternalError("the owner of the slot answered something else"));
}

void AddKeyError(size_t index, const v1::OperationError& error,
                 google::protobuf::RepeatedPtrField<v1::KeyError>* errors) {
  v1::KeyError* const added = errors->Add();
  added->set_index(static_cast<uint32_t>(index));
  *added->mutable_error() = error;
}

// The keys' errors, unless no key has an answer.
template <typename Response>
absl::Status Write(const ScatteredResults& results, const Response& response, ReplyWriter* reply) {
  if (static_cast<size_t>(response.errors_size()) == results.size()) {
    reply->Clear();
    return Counted(StatusOf(ErrorOfAll(response.errors())));
  }
  reply->AppendMessage(response);
  return absl::OkStatus();
}

}  // namespace

absl::Status GatherMGet(const ScatteredResults& results, ReplyWriter* reply) {
  v1::MGetResponse errors;
  size_t values = 0;
  for (size_t i = 0; i < results.size(); ++i) {
    std::string_view message = results[i].result.message;
    if (FoundNoRoom(results[i].result)) return ReplyTooLarge(i, results.size());
    if (const auto error = ErrorOf(results[i], v1::OperationResult::kGetFieldNumber)) {
      AddKeyError(i, *error, errors.mutable_errors());
      message = {};
    }
    FieldWriter writer(reply->Append(HeadsSize(kMGetResult, message.size())));
    WriteHeads(kMGetResult, message.size(), &writer);
    AppendPart(message, *results[i].reply, reply);
    const auto read = ReadGetResponse(message);
    values += read.has_value() && !read->value.empty();
    if (reply->size() > kMaxReplyBytes && values > 1) return ReplyTooLarge(i, results.size());
  }
  return Write(results, errors, reply);
}

absl::Status GatherMSet(const ScatteredResults& results, ReplyWriter* reply) {
  constexpr int kResults = v1::MSetResponse::kResultsFieldNumber;
  for (const ScatteredResult& result : results) {
    v1::MSetResult written;
    const std::string_view message = result.result.message;
    if (const auto error = ErrorOf(result, v1::OperationResult::kSetFieldNumber)) {
      *written.mutable_error() = *error;
    } else if (!written.mutable_response()->ParseFromArray(message.data(),
                                                           static_cast<int>(message.size()))) {
      *written.mutable_error() = ErrorIn("?");
    }
    const size_t size = written.ByteSizeLong();
    FieldWriter(reply->Append(HeadSize(kResults, size))).Head(kResults, size);
    reply->AppendMessage(written);
  }
  return absl::OkStatus();
}

absl::Status GatherMDelete(const ScatteredResults& results, ReplyWriter* reply) {
  v1::MDeleteResponse response;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto error = ErrorOf(results[i], v1::OperationResult::kDeleteFieldNumber);
    if (error.has_value()) AddKeyError(i, *error, response.mutable_errors());
    const auto numbers = ReadNumbers(results[i].result.message);
    response.add_deleted(!error.has_value() && numbers.has_value() && numbers->first != 0);
  }
  return Write(results, response, reply);
}

absl::Status GatherExists(const ScatteredResults& results, ReplyWriter* reply) {
  v1::ExistsResponse response;
  for (size_t i = 0; i < results.size(); ++i) {
    const auto error = ErrorOf(results[i], v1::OperationResult::kExistsFieldNumber);
    if (error.has_value()) AddKeyError(i, *error, response.mutable_errors());
    v1::ExistsResponse one;
    const std::string_view message = results[i].result.message;
    response.add_exists(!error.has_value() &&
                        one.ParseFromArray(message.data(), static_cast<int>(message.size())) &&
                        one.exists_size() == 1 && one.exists(0));
  }
  return Write(results, response, reply);
}

}  // namespace ferrite
