#include "server/routing/served_since.h"

#include <memory>
#include <utility>

namespace ferrite {
namespace {

absl::Status Check(const ServedSince& since, const Slots& slots) {
  absl::Status status;
  if (since.AllStill()) [[likely]]
    return status;
  for (auto slot = slots.begin(); status.ok() && slot != slots.end(); ++slot) {
    status = since.Check(*slot);
  }
  return status;
}

class CheckedAnswer final : public Answer {
 public:
  CheckedAnswer(std::unique_ptr<Answer> plain, const ServedSince& since, Slots slots)
      : plain_(std::move(plain)), since_(since), slots_(std::move(slots)) {}

  Next Advance(ReplyWriter* message, CallEnd* end) override {
    if (HasLapsed(end)) return Next::kEnd;
    const Next next = plain_->Advance(message, end);
    if (next == Next::kEnd) HasLapsed(end);
    return next;
  }

 private:
  // At the start of each step as well: when all threads are past the step in which they saw a new
  // view, nobody writes to what it takes away (StepBarrier).
  bool HasLapsed(CallEnd* end) const {
    absl::Status lapsed = Check(since_, slots_);
    if (lapsed.ok()) return false;
    *end = {std::move(lapsed), {}};
    return true;
  }

  const std::unique_ptr<Answer> plain_;
  const ServedSince since_;
  const Slots slots_;
};

}  // namespace

absl::Status ServedSince::Check(uint32_t slot) const {
  if (here_.WayTo(slot, /*may_forward=*/false) == Way::kServe) return absl::OkStatus();
  return Lapsed(here_.view(), slot);
}

absl::Status Serve(const Handler& plain, Slots slots, const ServedSince& since, Turn* turn) {
  absl::Status status = plain(turn);
  if (std::unique_ptr<Answer> later = turn->TakeAnswer(); later != nullptr && status.ok()) {
    turn->Later(std::make_unique<CheckedAnswer>(std::move(later), since, std::move(slots)));
    return status;
  }
  absl::Status lapsed = Check(since, slots);
  return lapsed.ok() ? status : lapsed;
}

}  // namespace ferrite
