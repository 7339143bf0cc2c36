#include "server/access/checked_frames.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/wire/field_reader.h"
#include "proto/wire/field_writer.h"
#include "server/access/demand.h"
#include "server/access/partial_answer.h"
#include "server/handlers/frame_reply.h"

namespace ferrite {
namespace {

constexpr int kOperations = v1::PipelineRequest::kOperationsFieldNumber;

// Why one operation is not executed.
struct RefusedOperation {
  size_t index;  // in the frame
  absl::Status why;
};

std::vector<RefusedOperation> RefusalsOf(const std::vector<FrameOperation>& operations,
                                         const Identity& who, const Caller& caller,
                                         const AccessControl& access) {
  std::vector<RefusedOperation> refusals;
  for (size_t i = 0; i < operations.size(); ++i) {
    const Demand demand = DemandOfOperation(operations[i]);
    if (!demand.problem.ok()) [[unlikely]] {
      refusals.push_back({i, demand.problem});
    } else if (!Allows(who, demand)) [[unlikely]] {
      const Wish wish = {.method = Method::kPipeline, .verbs = demand.verbs, .name = demand.name};
      refusals.push_back({i, access.Deny(who, caller, wish)});
    }
  }
  return refusals;
}

// Calls allowed(i) or refused(why) for each operation of a frame, in its order, until one of them
// returns false.
template <typename Allowed, typename Refused>
void ForEach(size_t count, const std::vector<RefusedOperation>& refusals, const Allowed& allowed,
             const Refused& refused) {
  auto refusal = refusals.begin();
  for (size_t i = 0; i < count; ++i) {
    const bool is_refused = refusal != refusals.end() && refusal->index == i;
    if (!(is_refused ? refused((refusal++)->why) : allowed(i))) return;
  }
}

// Puts the results of what was executed between the refusals.
void MergeResults(size_t count, const std::vector<RefusedOperation>& refusals,
                  std::string_view results, ReplyWriter* reply) {
  FieldReader result(results);
  FrameReply errors(reply);
  ForEach(
      count, refusals,
      [&](size_t) {
        if (!result.Next()) return false;
        FieldWriter writer(reply->Append(BytesFieldSize(result.number(), result.bytes())));
        writer.Bytes(result.number(), result.bytes());
        return true;
      },
      [&](const absl::Status& why) {
        errors.AddError(why);
        return true;
      });
}

std::unique_ptr<PartialAnswer> AnswerFrameInPart(const std::vector<FrameOperation>& operations,
                                                 std::vector<RefusedOperation> refusals) {
  std::string part;
  ForEach(
      operations.size(), refusals,
      [&](size_t i) {
        AppendField(kOperations, operations[i].message, &part);
        return true;
      },
      [](const absl::Status&) { return true; });
  return std::make_unique<PartialAnswer>(
      std::move(part), [count = operations.size(), refusals = std::move(refusals)](
                           const std::string& results, ReplyWriter* whole) {
        MergeResults(count, refusals, results, whole);
        return absl::OkStatus();
      });
}

}  // namespace

Handler CheckedFrames(Handler plain, const AccessControl* access, const WireHandlers* wire) {
  return [plain = std::move(plain), access, wire](Turn* turn) -> absl::Status {
    thread_local std::vector<FrameOperation> operations;
    const Identity& who = access->IdentifyStream(turn);
    if (who.rights->empty())
      return access->Deny(who, turn->caller(), {.method = Method::kPipeline});
    if (absl::Status status = wire->ReadFrame(turn->request(), &operations); !status.ok()) {
      return status;
    }
    std::vector<RefusedOperation> refusals = RefusalsOf(operations, who, turn->caller(), *access);
    if (refusals.empty()) [[likely]] {
      const FrameInScope read(turn->request(), &operations);
      return plain(turn);
    }
    const bool all_refused = refusals.size() == operations.size();
    std::unique_ptr<PartialAnswer> answer = AnswerFrameInPart(operations, std::move(refusals));
    // An error ends the stream, as that of a frame does.
    if (absl::Status status = all_refused ? absl::OkStatus() : answer->Begin(plain, *turn);
        !status.ok()) {
      return status;
    }
    turn->Later(std::move(answer));
    return absl::OkStatus();
  };
}

}  // namespace ferrite
