#pragma once

// When calls are due: a wheel of lists, one for each millisecond, so that a call enters and leaves
// in constant time, however many there are. A call that is due more than one turn of the wheel
// ahead stays in its list until its turn comes.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/pipeline/pending_call.h"

namespace ferrite {

// Not thread-safe.
class Deadlines {
 public:
  using Time = std::chrono::steady_clock::time_point;

  bool empty() const { return size_ == 0; }

  // Adds a call, which is due at `time`, rounded up to a millisecond. Returns the rounded time.
  Time Add(PendingCall* call, Time time, Time now);
  // Removes a call that was added.
  void Remove(PendingCall* call);
  // Makes a call that was added due now.
  void Hasten(PendingCall* call);

  // Takes out what is due at `now`.
  std::vector<PendingCall*> TakeDue(Time now);
  // Takes out all.
  std::vector<PendingCall*> TakeAll();

  // A lower bound on when the next call is due. Must not be empty.
  Time Next() const;

 private:
  static constexpr int64_t kSlots = 1024;

  Link& SlotOf(int64_t tick) { return slots_[tick % kSlots]; }
  const Link& SlotOf(int64_t tick) const { return slots_[tick % kSlots]; }
  void Take(PendingCall* call, std::vector<PendingCall*>* taken);

  std::array<Link, kSlots> slots_;
  Link hastened_;
  size_t size_ = 0;
  int64_t swept_tick_ = 0;  // what was due until then has been taken out
};

}  // namespace ferrite
