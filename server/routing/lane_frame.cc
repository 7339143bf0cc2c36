#include "server/routing/lane_frame.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"
#include "proto/wire/frame_operation.h"

namespace ferrite {
namespace {

OperationTerms TermsOf(const LaneOperation& operation, LaneOperation::Clock::time_point now) {
  const int64_t left_ms =
      std::chrono::ceil<std::chrono::milliseconds>(operation.wait_until - now).count();
  return {.timeout_ms = static_cast<uint32_t>(std::clamp<int64_t>(left_ms, 0, kNoTimeout - 1))};
}

}  // namespace

void WriteLaneFrame(const LaneFrame& frame, LaneOperation::Clock::time_point now,
                    ReplyWriter* message) {
  constexpr int kOperations = v1::PipelineRequest::kOperationsFieldNumber;
  for (const auto& operation : frame) {
    const OperationTerms terms = TermsOf(*operation, now);
    const size_t size = operation->message.size() + terms.Size();
    FieldWriter(message->Append(HeadSize(kOperations, size))).Head(kOperations, size);
    message->AppendShared(operation->message, operation);
    // After what the message itself says of its time: of two, the last one counts.
    FieldWriter writer(message->Append(terms.Size()));
    terms.Write(&writer);
  }
}

bool EndByReply(const LaneFrame& frame, const std::shared_ptr<const Request>& reply) {
  std::vector<std::string_view> results;
  results.reserve(frame.size());
  FieldReader field(reply->bytes());
  while (field.Next() && results.size() <= frame.size()) {
    if (field.Is(v1::PipelineResponse::kResultsFieldNumber)) results.push_back(field.bytes());
  }
  if (!field.well_formed() || results.size() != frame.size()) return false;
  for (size_t i = 0; i < frame.size(); ++i) {
    if (!frame[i]->done) frame[i]->End(results[i], reply);
  }
  return true;
}

}  // namespace ferrite
