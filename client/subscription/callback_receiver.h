#pragma once

#include <string>
#include <utility>

#include "base/mutex.h"
#include "client/subscription.h"
#include "client/subscription/event_receiver.h"

namespace ferrite {

// Passes events to callbacks as they arrive.
class CallbackReceiver final : public EventReceiver {
 public:
  CallbackReceiver(SubscriptionCallbacks callbacks, std::string resume_token)
      : callbacks_(std::move(callbacks)), resume_token_(std::move(resume_token)) {}

  void Receive(v1::SubscriptionEvent event) override {
    {
      MutexLock lock(&mutex_);
      resume_token_ = event.resume_token();
    }
    if (callbacks_.on_event) callbacks_.on_event(event);
  }

  bool HasRoom() override { return true; }

  void Lose(const absl::Status& why) override {
    if (callbacks_.on_lost) callbacks_.on_lost(why);
  }

  void End(const absl::Status& why) override {
    if (callbacks_.on_end) callbacks_.on_end(why);
    callbacks_ = {};  // destroys what they hold before the subscription is over
  }

  std::string resume_token() const override {
    MutexLock lock(&mutex_);
    return resume_token_;
  }

 private:
  SubscriptionCallbacks callbacks_;
  mutable Mutex mutex_;
  std::string resume_token_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
