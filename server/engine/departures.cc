#include "server/engine/departures.h"

#include "server/engine/call.h"

namespace ferrite {

void Departures::NoteOvertaken() {
  Departure* const message = At(leaving_.next());
  message->Unlink();
  overtaken_.Append(message);
  message->call.OnOvertaken();
}

void Departures::SetTimer(Clock::time_point oldest) {
  timed_ = true;
  timer_.Set(&timers_, oldest + stalled_time_);
}

void Departures::EndStalled() {
  timed_ = false;
  const Clock::time_point too_old = Clock::now() - stalled_time_;
  for (Link* const list : {&overtaken_, &leaving_}) {
    while (!list->alone() && At(list->next())->since <= too_old) {
      Departure* const message = At(list->next());
      message->Unlink();
      message->call.OnStalled();
    }
    if (!list->alone() && !timed_) SetTimer(At(list->next())->since);
  }
}

}  // namespace ferrite
