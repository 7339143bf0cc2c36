#include "server/routing/reply_without_values.h"

#include <optional>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "proto/wire/frame_result.h"
#include "server/call/status.h"
#include "server/handlers/operation_error.h"
#include "server/metrics/refusals.h"
#include "server/routing/forwarded_result.h"

namespace ferrite {
namespace {

constexpr int kResults = v1::PipelineResponse::kResultsFieldNumber;

absl::Status Unread(const std::string& node, uint64_t limit_bytes) {
  const std::string limit = std::to_string(limit_bytes);
  return MakeError(
      absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
      "answers of other nodes that were not passed on leave no room for the value that "
      "node " +
          node + " has sent: they may take " + limit + " bytes (half of --max-inflight-bytes)",
      {{"limit", limit}, {"node", node}});
}

bool MayHaveValue(std::string_view bytes, const std::optional<FrameResult>& result) {
  return bytes.size() > kMostWithoutValue && result.has_value() &&
         result->field != v1::OperationResult::kErrorFieldNumber;
}

void AppendResult(std::string_view result, std::string* to) {
  const size_t begin = to->size();
  to->resize(begin + BytesFieldSize(kResults, result));
  FieldWriter(to->data() + begin).Bytes(kResults, result);
}

}  // namespace

std::shared_ptr<const Request> HoldWithoutValues(const Request& reply, const std::string& node,
                                                 HeldReplies* replies) {
  const absl::Status unread = Unread(node, replies->limit_bytes());
  const absl::Status unanswered = ExecutedWithoutAnswer(
      "answers of other nodes that were not passed on", replies->limit_bytes());
  std::string left;
  FieldReader field(reply.bytes());
  while (field.Next()) {
    if (!field.Is(kResults)) continue;
    const std::string_view bytes = field.bytes();
    const std::optional<FrameResult> result = ReadFrameResult(bytes);
    if (!MayHaveValue(bytes, result)) {
      AppendResult(bytes, &left);
      continue;
    }
    const bool was_read = result->field == v1::OperationResult::kGetFieldNumber;
    const absl::Status& why = was_read ? unread : unanswered;
    CountRefusal(why);
    v1::OperationResult error;
    *error.mutable_error() = ToOperationError(why);
    AppendResult(error.SerializeAsString(), &left);
  }
  if (!field.well_formed()) left = std::string(1, '\xff');
  return replies->HoldCopy(left);
}

}  // namespace ferrite
