#include "client/near_cache/near_feed.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/retry.h"

namespace ferrite {
namespace {

// This many probes are sent within max_staleness, so that hits continue although some probes are
// late.
constexpr int kProbesInTime = 4;

// Within the server's range, and not longer than its default.
constexpr int64_t kMinHeartbeatMs = 100;
constexpr int64_t kMaxHeartbeatMs = 10'000;

// A name that nobody else uses.
std::string NewChannel() {
  return absl::StrCat("ferrite.near.", absl::BytesToHexString(NewRequestId()));
}

v1::SubscribeRequest RequestFor(const std::vector<std::string>& key_prefixes,
                                absl::Duration max_staleness, const std::string& channel) {
  v1::SubscribeRequest request;
  request.add_channels(channel);
  request.set_probe_channel(channel);
  for (const std::string& prefix : key_prefixes) request.add_key_prefixes(prefix);
  // Not the policy that drops an event when a newer one of its key follows: a probe between the two
  // would vouch for the first.
  request.set_slow_consumer_policy(v1::SLOW_CONSUMER_POLICY_DROP);
  // Because of the probes the server never needs to send a heartbeat. But the interval decides how
  // soon the client takes a silent connection for a broken one.
  request.set_heartbeat_ms(std::clamp<int64_t>(absl::ToInt64Milliseconds(max_staleness),
                                               kMinHeartbeatMs, kMaxHeartbeatMs));
  return request;
}

}  // namespace

NearFeed::NearFeed(Client* client, const std::vector<std::string>& key_prefixes,
                   absl::Duration max_staleness, NearEntries* entries)
    : NearFeed(client, key_prefixes, max_staleness, entries, NewChannel()) {}

NearFeed::NearFeed(Client* client, const std::vector<std::string>& key_prefixes,
                   absl::Duration max_staleness, NearEntries* entries, const std::string& channel)
    : prober_(client, channel, &probes_, max_staleness / kProbesInTime, max_staleness),
      events_(entries, channel, &probes_, [this] { prober_.Probe(); }),
      subscription_(client->Subscribe(
          RequestFor(key_prefixes, max_staleness, channel),
          {.on_event = [this](const v1::SubscriptionEvent& event) { events_.Take(event); },
           // Nothing to do: no probe comes back until there is a new stream, which either resumes
           // or says in its acknowledgement that it does not.
           .on_lost = [](const absl::Status&) {},
           .on_end = [entries](const absl::Status&) { entries->Stop(); }})) {}

}  // namespace ferrite
