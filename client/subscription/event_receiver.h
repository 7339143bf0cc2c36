#pragma once

// Where the events of a subscription go: to callbacks, or to a queue that the caller reads.

#include <string>

#include "absl/status/status.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// Called by one SubscriptionStream, on its completion thread; resume_token() is thread-safe.
class EventReceiver {
 public:
  virtual ~EventReceiver() = default;

  virtual void Receive(v1::SubscriptionEvent event) = 0;
  // Whether to continue reading. If not, the stream pauses until SubscriptionStream::ReadOn().
  virtual bool HasRoom() = 0;
  // The stream broke and will be tried again.
  virtual void Lose(const absl::Status& why) = 0;
  // It is over. Called once; nothing else comes afterwards.
  virtual void End(const absl::Status& why) = 0;

  // See Subscription.
  virtual std::string resume_token() const = 0;
};

}  // namespace ferrite
