#pragma once

// Sends probes to a channel: messages of which it is known when they were sent. When one comes back
// on a subscription, every event of what happened before that time has arrived. A heartbeat of the
// server would not do, as it does not say how long it was under way.

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "client/client.h"
#include "client/near_cache/sent_probes.h"

namespace ferrite {

// Thread-safe.
class Prober {
 public:
  // Sends one each `interval`. One that takes longer than `timeout` to be published is given up.
  // Remembers those that it has sent in `sent`. Both pointers must outlive it.
  Prober(Client* client, std::string channel, SentProbes* sent, absl::Duration interval,
         absl::Duration timeout);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Sends one more, now.
  void Probe();

 private:
  void Run();

  Client* const client_;
  const std::string channel_;
  SentProbes* const sent_;
  const absl::Duration interval_;
  const absl::Duration timeout_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace ferrite
