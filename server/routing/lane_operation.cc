#include "server/routing/lane_operation.h"

namespace ferrite {

void LaneOperation::End(absl::Status why) {
  done = true;
  status = std::move(why);
  of->EndOne();
}

void LaneOperation::End(std::string_view outcome, std::shared_ptr<const Request> in_reply) {
  done = true;
  result = outcome;
  reply = std::move(in_reply);
  of->EndOne();
}

std::shared_ptr<LaneOperation> ForwardedOperations::Add(std::string message,
                                                        LaneOperation::Clock::time_point deadline) {
  LaneOperation& operation = operations_.emplace_back();
  operation.message = std::move(message);
  operation.deadline = deadline;
  operation.of = this;
  ++under_way_;
  return Share(&operation);
}

std::shared_ptr<LaneOperation> ForwardedOperations::Again(size_t index, uint32_t round) {
  LaneOperation& operation = operations_[index];
  operation.done = false;
  operation.round = round;
  operation.result = {};
  operation.reply.reset();
  ++under_way_;
  return Share(&operation);
}

void ForwardedOperations::EndOne() {
  if (--under_way_ == 0) waker_.Wake();
}

}  // namespace ferrite
