#pragma once

// Applies the events of a subscription to the entries.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "client/near_cache/near_entries.h"
#include "ferrite/v1/cache.pb.h"

namespace ferrite {

// The payload of a probe: when it was sent. It means something only to its sender.
std::string ProbePayload(int64_t sent_ns);

class NearEvents {
 public:
  // `channel`: where the probes come from. `probe` is called when one should be sent at once.
  NearEvents(NearEntries* entries, std::string channel, absl::AnyInvocable<void()> probe)
      : entries_(entries), channel_(std::move(channel)), probe_(std::move(probe)) {}

  // Takes the next event.
  void Take(const v1::SubscriptionEvent& event);

 private:
  void TakeMessage(const v1::ChannelMessage& message);

  NearEntries* const entries_;
  const std::string channel_;
  absl::AnyInvocable<void()> probe_;
};

}  // namespace ferrite
