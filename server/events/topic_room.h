#pragma once

// Room within --subscriber-total-bytes for what a subscription follows, for as long as this lives.

#include <cstdint>

#include "absl/status/status.h"
#include "server/call/caller.h"
#include "server/events/subscriber_budget.h"

namespace ferrite {

// Used on one thread.
class TopicRoom {
 public:
  // For a subscription of that caller; null: of nobody who is known. `budget` must outlive this.
  TopicRoom(SubscriberBudget* budget, const Caller* caller)
      : budget_(*budget),
        share_(budget->TopicShareOf(caller == nullptr ? 0 : caller->connection())) {}
  ~TopicRoom() { budget_.GiveBackTopics(share_, bytes_); }
  TopicRoom(const TopicRoom&) = delete;
  TopicRoom& operator=(const TopicRoom&) = delete;

  // Once. RESOURCE_EXHAUSTED (OVERLOADED), which is counted, if there is no room for so much.
  absl::Status Take(uint64_t bytes);

 private:
  SubscriberBudget& budget_;
  SubscriberBudget::Share* const share_;
  uint64_t bytes_ = 0;
};

}  // namespace ferrite
