#include "server/events/topic_room.h"

#include <string>

#include "server/call/status.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

absl::Status TopicRoom::Take(uint64_t bytes) {
  if (budget_.TakeTopics(share_, bytes)) {
    bytes_ = bytes;
    return absl::OkStatus();
  }
  ThreadCounters::Current().Count(ShedReason::kTopics);
  const std::string limit = std::to_string(budget_.most_topics());
  return MakeError(absl::StatusCode::kResourceExhausted, v1::OVERLOADED,
                   "what this subscription follows takes " + std::to_string(bytes) +
                       " bytes, for which there is no room: all subscriptions together may take " +
                       limit +
                       ", half of --subscriber-total-bytes, and less where events take more than "
                       "that; and those of this connection a part of it (--connection-share); "
                       "follow less, or come again later",
                   {{"limit", limit}, {"size", std::to_string(bytes)}});
}

}  // namespace ferrite
