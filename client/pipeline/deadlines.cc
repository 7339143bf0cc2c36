#include "client/pipeline/deadlines.h"

#include <algorithm>

namespace ferrite {
namespace {

using Milliseconds = std::chrono::milliseconds;

int64_t TickAt(Deadlines::Time time) {
  return std::chrono::floor<Milliseconds>(time.time_since_epoch()).count();
}

PendingCall* DueCallOf(Link* link) {
  return static_cast<PendingCall*>(static_cast<DeadlineLink*>(link));
}

DeadlineLink* DeadlineLinkOf(PendingCall* call) { return call; }

}  // namespace

Deadlines::Time Deadlines::Add(PendingCall* call, Time time, Time now) {
  if (size_ == 0) swept_tick_ = TickAt(now);  // so that Next() does not look into the past
  const int64_t tick = std::chrono::ceil<Milliseconds>(time.time_since_epoch()).count();
  call->due_tick_ = std::max(tick, swept_tick_ + 1);
  SlotOf(call->due_tick_).Append(DeadlineLinkOf(call));
  ++size_;
  return Time(Milliseconds(call->due_tick_));
}

void Deadlines::Remove(PendingCall* call) {
  DeadlineLinkOf(call)->Unlink();
  --size_;
}

void Deadlines::Hasten(PendingCall* call) {
  DeadlineLinkOf(call)->Unlink();
  hastened_.Append(DeadlineLinkOf(call));
}

void Deadlines::Take(PendingCall* call, std::vector<PendingCall*>* taken) {
  Remove(call);
  taken->push_back(call);
}

std::vector<PendingCall*> Deadlines::TakeDue(Time now) {
  std::vector<PendingCall*> due;
  while (!hastened_.alone()) Take(DueCallOf(hastened_.next()), &due);
  const int64_t now_tick = TickAt(now);
  const int64_t last = std::min(now_tick, swept_tick_ + kSlots);
  for (int64_t tick = swept_tick_ + 1; tick <= last && size_ > 0; ++tick) {
    Link& slot = SlotOf(tick);
    for (Link* link = slot.next(); link != &slot;) {
      PendingCall* const call = DueCallOf(link);
      link = link->next();
      if (call->due_tick_ <= now_tick) Take(call, &due);
    }
  }
  swept_tick_ = std::max(swept_tick_, now_tick);
  return due;
}

std::vector<PendingCall*> Deadlines::TakeAll() {
  std::vector<PendingCall*> all;
  while (!hastened_.alone()) Take(DueCallOf(hastened_.next()), &all);
  for (Link& slot : slots_) {
    while (!slot.alone()) Take(DueCallOf(slot.next()), &all);
  }
  return all;
}

Deadlines::Time Deadlines::Next() const {
  if (!hastened_.alone()) return Time();
  int64_t tick = swept_tick_ + 1;
  while (SlotOf(tick).alone()) ++tick;
  return Time(Milliseconds(tick));
}

}  // namespace ferrite
