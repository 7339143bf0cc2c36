#include "server/routing/lapsed_batch.h"

#include <string>

#include "base/check.h"
#include "ferrite/v1/cache.pb.h"
#include "server/call/status.h"
#include "server/handlers/operation_error.h"
#include "server/metrics/refusals.h"

namespace ferrite {
namespace {

// The place of an error, and none of a result.

v1::OperationError* Lapse(int index, v1::MSetResponse* response) {
  return response->mutable_results(index)->mutable_error();
}

template <typename Response>
v1::OperationError* AddError(int index, Response* response) {
  v1::KeyError* const error = response->add_errors();
  error->set_index(static_cast<uint32_t>(index));
  return error->mutable_error();
}

v1::OperationError* Lapse(int index, v1::MGetResponse* response) {
  response->mutable_results(index)->Clear();
  return AddError(index, response);
}

v1::OperationError* Lapse(int index, v1::MDeleteResponse* response) {
  response->set_deleted(index, false);
  return AddError(index, response);
}

v1::OperationError* Lapse(int index, v1::ExistsResponse* response) {
  response->set_exists(index, false);
  return AddError(index, response);
}

template <typename Response>
absl::Status ReplaceIn(const Slots& slots, const ServedSince& since, ReplyWriter* reply) {
  Response response;
  FERRITE_CHECK(response.ParseFromString(TakeBytes(reply)));
  size_t count = 0;
  absl::Status lapsed;
  for (size_t i = 0; i < slots.size(); ++i) {
    absl::Status status = since.Check(slots[i]);
    if (status.ok()) continue;
    ++count;
    CountRefusal(status);
    *Lapse(static_cast<int>(i), &response) = ToOperationError(status);
    lapsed = std::move(status);
  }
  if (count == slots.size()) return Counted(lapsed);
  reply->AppendMessage(response);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReplaceLapsed(Method method, const Slots& slots, const ServedSince& since,
                           ReplyWriter* reply) {
  switch (method) {
    case Method::kMGet:
      return ReplaceIn<v1::MGetResponse>(slots, since, reply);
    case Method::kMSet:
      return ReplaceIn<v1::MSetResponse>(slots, since, reply);
    case Method::kMDelete:
      return ReplaceIn<v1::MDeleteResponse>(slots, since, reply);
    default:
      return ReplaceIn<v1::ExistsResponse>(slots, since, reply);
  }
}

}  // namespace ferrite
