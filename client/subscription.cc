#include "client/subscription.h"

#include <utility>

#include "client/completion_thread.h"
#include "client/subscription/event_receiver.h"
#include "client/subscription/subscription_stream.h"
#include "client/subscription/waiting_events.h"

namespace ferrite {

Subscription::Subscription(std::shared_ptr<SubscriptionStream> stream,
                           std::shared_ptr<EventReceiver> receiver,
                           std::shared_ptr<WaitingEvents> waiting)
    : stream_(std::move(stream)), receiver_(std::move(receiver)), waiting_(std::move(waiting)) {}

Subscription::~Subscription() {
  Cancel();
  stream_->AwaitEnd();
}

absl::StatusOr<v1::SubscriptionEvent> Subscription::Next(absl::Duration timeout) {
  if (waiting_ == nullptr) {
    return absl::FailedPreconditionError("the events of this subscription go to its callbacks");
  }
  if (CompletionThread::IsCurrent()) {
    return absl::FailedPreconditionError(
        "Next() was called within a callback, where waiting could last for ever");
  }
  bool has_room_again = false;
  absl::StatusOr<v1::SubscriptionEvent> event = waiting_->Next(timeout, &has_room_again);
  if (has_room_again) stream_->ReadOn();
  return event;
}

void Subscription::Cancel() { stream_->CancelByOwner(); }

std::string Subscription::resume_token() const { return receiver_->resume_token(); }

}  // namespace ferrite
