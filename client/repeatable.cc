#include "client/repeatable.h"

#include <algorithm>

namespace ferrite {

bool IsRepeatable(const v1::SetRequest& request) {
  if (!request.request_id().empty()) return true;
  return request.condition() == v1::SET_CONDITION_UNSPECIFIED && !request.has_if_version() &&
         !request.return_previous();
}

bool IsRepeatable(const v1::MSetRequest& request) {
  return std::all_of(request.entries().begin(), request.entries().end(),
                     [](const v1::SetRequest& entry) { return IsRepeatable(entry); });
}

}  // namespace ferrite
