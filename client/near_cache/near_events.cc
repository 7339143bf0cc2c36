#include "client/near_cache/near_events.h"

#include <cstdint>
#include <optional>

namespace ferrite {

void NearEvents::Take(const v1::SubscriptionEvent& event) {
  switch (event.event_case()) {
    case v1::SubscriptionEvent::kAcknowledgement:
      // A stream that was resumed missed nothing; it was only slow.
      if (!event.acknowledgement().resumed()) entries_->Restart();
      probe_();
      break;
    case v1::SubscriptionEvent::kMessage:
      TakeMessage(event.message());
      break;
    case v1::SubscriptionEvent::kKeyEvent:
      entries_->Apply(event.key_event());
      break;
    case v1::SubscriptionEvent::kHeartbeat:
      break;
    case v1::SubscriptionEvent::kDiscontinuity:
    case v1::SubscriptionEvent::EVENT_NOT_SET:  // something that this version does not know
      entries_->Restart();
      break;
  }
}

void NearEvents::TakeMessage(const v1::ChannelMessage& message) {
  if (message.channel() != channel_) return;
  const std::optional<int64_t> sent_ns = probes_->SentAt(message.payload());
  if (sent_ns.has_value()) entries_->ProbeCameBack(*sent_ns);
}

}  // namespace ferrite
