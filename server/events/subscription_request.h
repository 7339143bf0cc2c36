#pragma once

// What a client asks for, checked.

#include "absl/status/status.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ferrite/v1/cache.pb.h"
#include "server/events/event_limits.h"
#include "server/events/resume_token.h"
#include "server/events/topic.h"

namespace ferrite {

// That a subscription may follow.
inline constexpr size_t kMaxTopics = 1024;

struct SubscriptionRequest {
  std::vector<TopicRef> topics;
  bool with_values = false;
  // The places in the token; absent without one.
  std::optional<std::vector<ResumeToken>> resume;
  v1::SlowConsumerPolicy policy = v1::SLOW_CONSUMER_POLICY_DROP;
  QueueLimits queue;
  std::chrono::milliseconds heartbeat{0};
};

// Fills in `*request`, or INVALID_ARGUMENT with the limit in the text. `most` is what the server
// allows for a queue.
absl::Status ParseSubscription(const v1::SubscribeRequest& wire, const QueueLimits& most,
                               SubscriptionRequest* request);

// A channel of a Publish or of a Subscribe.
absl::Status CheckChannel(std::string_view channel);

}  // namespace ferrite
