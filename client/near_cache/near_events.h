#pragma once

// Applies the events of a subscription to the entries.

#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "client/near_cache/near_entries.h"
#include "client/near_cache/sent_probes.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

class NearEvents {
 public:
  // `channel`: where the probes come from; `probes`: those that were sent. `probe` is called when
  // one should be sent at once. The pointers must outlive it.
  NearEvents(NearEntries* entries, std::string channel, const SentProbes* probes,
             absl::AnyInvocable<void()> probe)
      : entries_(entries),
        channel_(std::move(channel)),
        probes_(probes),
        probe_(std::move(probe)) {}

  // Takes the next event.
  void Take(const v1::SubscriptionEvent& event);

 private:
  void TakeMessage(const v1::ChannelMessage& message);

  NearEntries* const entries_;
  const std::string channel_;
  const SentProbes* const probes_;
  absl::AnyInvocable<void()> probe_;
};

}  // namespace ferrite
