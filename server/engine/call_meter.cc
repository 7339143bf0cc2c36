#include "server/engine/call_meter.h"

#include "server/status.h"

namespace ferrite {

grpc::Status CallMeter::Admit(const grpc::ServerContext& context) const {
  if (context.deadline() > std::chrono::system_clock::now()) return grpc::Status::OK;
  // Made once: under overload there are many, and each is to cost next to nothing.
  static const grpc::Status passed =
      MakeError(grpc::StatusCode::DEADLINE_EXCEEDED, v1::ERROR_REASON_DEADLINE_PASSED,
                "the deadline had passed before the call was taken up; nothing was done");
  ThreadCounters::Current().Count(ShedReason::kDeadline);
  return passed;
}

std::chrono::steady_clock::time_point CallMeter::End(const grpc::Status& status,
                                                     uint64_t messages_received,
                                                     uint64_t messages_sent) {
  const auto end = std::chrono::steady_clock::now();
  if (!InFrames(method_)) counters_.Record((end - begin_) / std::chrono::nanoseconds(1));
  ThreadCounters::Add(&counters_.handled[static_cast<size_t>(status.error_code())], 1);
  ThreadCounters::Add(&counters_.received, messages_received);
  ThreadCounters::Add(&counters_.sent, messages_sent);
  return end;
}

}  // namespace ferrite
