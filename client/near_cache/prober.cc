#include "client/near_cache/prober.h"

#include <chrono>
#include <utility>

#include "base/clock.h"

namespace ferrite {

Prober::Prober(Client* client, std::string channel, SentProbes* sent, absl::Duration interval,
               absl::Duration timeout)
    : client_(client),
      channel_(std::move(channel)),
      sent_(sent),
      interval_(interval),
      timeout_(timeout),
      thread_([this] { Run(); }) {}

Prober::~Prober() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

void Prober::Probe() {
  v1::PublishRequest probe;
  probe.set_channel(channel_);
  probe.set_payload(sent_->Make(SteadyNs()));
  // Whether it arrived shows on the subscription.
  client_->PublishAsync(std::move(probe), {.timeout = timeout_}, [](const auto& outcome) {});
}

void Prober::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    Probe();
    lock.lock();
    stop_.wait_for(lock, absl::ToChronoNanoseconds(interval_), [this] { return stopping_; });
  }
}

}  // namespace ferrite
