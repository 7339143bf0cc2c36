#pragma once

// Where the events of a subscription go: to callbacks, or to whoever waits for them.

#include <string>

#include "absl/status/status.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// Called by one SubscriptionStream, on its completion thread; resume_token() is thread-safe.
class EventReceiver {
 public:
  virtual ~EventReceiver() = default;

  virtual void Receive(v1::SubscriptionEvent event) = 0;
  // Whether the stream is to be read on. If not, it pauses until SubscriptionStream::ReadOn().
  virtual bool HasRoom() = 0;
  // The stream broke and will be tried again.
  virtual void Lose(const absl::Status& why) = 0;
  // It is over. Called once; nothing else comes afterwards.
  virtual void End(const absl::Status& why) = 0;

  // As that of Subscription.
  virtual std::string resume_token() const = 0;
};

}  // namespace ferrite
