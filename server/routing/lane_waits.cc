// How long a lane waits for its peer.

#include <algorithm>
#include <string>
#include <utility>

#include "server/routing/lane.h"

namespace ferrite {
namespace {

using std::chrono::milliseconds;

// A call has so much of its time left to answer when an operation is given up.
constexpr int kPartLeft = 10;
constexpr LaneOperation::Clock::duration kLeastLeft = milliseconds(1);
constexpr LaneOperation::Clock::duration kMostLeft = milliseconds(100);
// Who waits is looked through so often at most.
constexpr LaneOperation::Clock::duration kBetweenLooks = milliseconds(2);

}  // namespace

LaneOperation::Clock::time_point Lane::WaitFor(Clock::time_point deadline, Clock::time_point now) {
  Clock::time_point until = now + kMostWait;
  if (deadline < until + kMostLeft) {
    const Clock::duration time = deadline - now;
    until = deadline - std::min(std::clamp(time / kPartLeft, kLeastLeft, kMostLeft), time / 2);
  }
  return until;
}

void Lane::WakeAt(Clock::time_point due) {
  if (due >= wakes_at_ || closed_) return;
  wakes_at_ = due;
  timer_.Set(terms_.timers, due);
}

void Lane::OnTimer() {
  wakes_at_ = Clock::time_point::max();
  const Clock::time_point now = Clock::now();
  const Clock::time_point of_operations = EndLate(now);
  const Clock::time_point next = std::min(of_operations, LookForLife(now));
  if (next != Clock::time_point::max()) WakeAt(std::max(next, now + kBetweenLooks));
}

LaneOperation::Clock::time_point Lane::EndLate(Clock::time_point now) {
  Clock::time_point next = Clock::time_point::max();
  LaneFrame unsent;
  std::erase_if(queue_, [&](const auto& parcel) {
    const bool late = parcel->wait_until <= now;
    if (late) unsent.Add(parcel);
    if (!late) next = std::min(next, parcel->wait_until);
    return late;
  });
  Forget(unsent.operations, unsent.bytes);
  const absl::Status in_time = absl::DeadlineExceededError("it has not answered in time");
  if (!unsent.parcels.empty()) EndFrame(unsent, Unreachable(in_time, /*sent=*/false));
  // Those that were sent keep their places, for the reply to be told apart.
  for (const LaneFrame& frame : frames_) {
    for (const auto& parcel : frame.parcels) {
      if (parcel->done) continue;
      if (parcel->wait_until <= now) {
        parcel->End(Unreachable(in_time, /*sent=*/true));
      } else {
        next = std::min(next, parcel->wait_until);
      }
    }
  }
  return next;
}

LaneOperation::Clock::time_point Lane::LookForLife(Clock::time_point now) {
  const Clock::duration patience = terms_.limits.patience;
  if (silent_) {
    if (now < fails_at_) return fails_at_;
    FailFrames(Silent(/*sent=*/true));
    FailQueue(Silent(/*sent=*/false));
    if (open_) Abort();
    probe_.Ask();                     // again, if the connection broke
    return Clock::time_point::max();  // until it ends
  }
  if (frames_.empty()) return Clock::time_point::max();
  if (now < heard_at_ + patience) return heard_at_ + patience;
  silent_ = true;
  fails_at_ = now + patience;
  probe_.Ask();
  return fails_at_;
}

void Lane::OnProbed(bool lives) {
  if (closed_) return;
  const Clock::time_point now = Clock::now();
  if (!lives) {
    fails_at_ = now + terms_.limits.patience / 3;  // and then it is asked again
    return WakeAt(fails_at_);
  }
  silent_ = false;
  heard_at_ = now;
  if (!frames_.empty()) WakeAt(now + terms_.limits.patience);
  FlushSoon();
}

absl::Status Lane::Silent(bool sent) const {
  return Unreachable(
      absl::UnavailableError("it has answered nothing for " +
                             std::to_string(terms_.limits.patience.count()) + " ms or longer"),
      sent);
}

}  // namespace ferrite
