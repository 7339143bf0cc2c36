#include "server/routing/lane_frame.h"

#include <algorithm>
#include <cstdint>

#include "ferrite/v1/cache.pb.h"
#include "proto/wire/field_reader.h"

namespace ferrite {
namespace {

uint32_t TimeLeftMs(const LaneOperation& operation, LaneOperation::Clock::time_point now) {
  const int64_t left_ms =
      std::chrono::ceil<std::chrono::milliseconds>(operation.wait_until - now).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(left_ms, 0, kNoTimeout - 1));
}

// The next result of a reply. False if there is none.
bool NextResult(FieldReader* field) {
  while (field->Next()) {
    if (field->Is(v1::PipelineResponse::kResultsFieldNumber)) return true;
  }
  return false;
}

}  // namespace

void WriteLaneFrame(const LaneFrame& frame, LaneOperation::Clock::time_point now,
                    ReplyWriter* message) {
  constexpr int kOperations = v1::PipelineRequest::kOperationsFieldNumber;
  for (const auto& parcel : frame.parcels) {
    for (const LaneOperation& operation : parcel->operations) {
      OperationTerms terms = {.timeout_ms = TimeLeftMs(operation, now)};
      if (operation.field != 0) terms.traceparent = parcel->of->traceparent();
      if (operation.has_request_id) terms.request_scope = parcel->of->request_scope();
      const size_t size = operation.Size(terms);
      const size_t head_size = HeadSize(kOperations, size);
      if (parcel->message.empty()) {
        FieldWriter writer(message->Append(head_size + size));
        writer.Head(kOperations, size);
        operation.Write(terms, &writer);
      } else {
        FieldWriter(message->Append(head_size)).Head(kOperations, size);
        message->AppendShared(operation.body, parcel);
        FieldWriter writer(message->Append(terms.Size()));
        terms.Write(&writer);
      }
    }
  }
}

bool EndByReply(const LaneFrame& frame, const std::shared_ptr<const Request>& reply) {
  FieldReader field(reply->bytes());
  for (const auto& parcel : frame.parcels) {
    for (LaneOperation& operation : parcel->operations) {
      if (!NextResult(&field)) return false;
      operation.result = field.bytes();
    }
  }
  if (NextResult(&field) || !field.well_formed()) return false;
  for (const auto& parcel : frame.parcels) {
    if (!parcel->done) parcel->End(reply);
  }
  return true;
}

}  // namespace ferrite
