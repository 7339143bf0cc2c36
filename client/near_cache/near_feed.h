#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/client.h"
#include "client/near_cache/near_entries.h"
#include "client/near_cache/near_events.h"
#include "client/near_cache/prober.h"
#include "client/near_cache/sent_probes.h"
#include "client/subscription.h"

namespace ferrite {

// Keeps the entries of a near cache current: one subscription to the events of their keys and to a
// channel that only this near cache uses, and the probes that go through that channel.
class NearFeed {
 public:
  // `client` and `entries` must outlive it.
  NearFeed(Client* client, const std::vector<std::string>& key_prefixes,
           absl::Duration max_staleness, NearEntries* entries);
  // Ends the subscription. Not to be called on a completion thread.
  ~NearFeed() = default;
  NearFeed(const NearFeed&) = delete;
  NearFeed& operator=(const NearFeed&) = delete;

 private:
  NearFeed(Client* client, const std::vector<std::string>& key_prefixes,
           absl::Duration max_staleness, NearEntries* entries, const std::string& channel);

  // The subscription goes first, as its callbacks use the others.
  SentProbes probes_;
  Prober prober_;
  NearEvents events_;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace ferrite
