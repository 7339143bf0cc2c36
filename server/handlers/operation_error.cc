#include "server/handlers/operation_error.h"

#include <string>

#include "server/admission/gate.h"
#include "server/call/status.h"

namespace ferrite {

v1::OperationError ToOperationError(const absl::Status& status) {
  google::rpc::ErrorInfo info = ErrorInfoOf(status);
  v1::OperationError error;
  error.set_code(static_cast<int>(status.code()));
  error.set_message(std::string(status.message()));
  error.set_reason(ReasonOf(status));
  error.mutable_metadata()->swap(*info.mutable_metadata());
  if (const auto pushback = PushbackAfter(status); pushback.has_value())
    error.set_retry_pushback_ms(pushback->count());
  return error;
}

}  // namespace ferrite
