#include "server/events/event_metrics.h"

#include "absl/strings/ascii.h"
#include "server/metrics/family.h"

namespace ferrite {
namespace {

// "DISCONTINUITY_REASON_SLOW_CONSUMER" as a label: "slow_consumer".
std::string LabelOf(v1::DiscontinuityReason reason) {
  constexpr size_t kPrefixBytes = sizeof("DISCONTINUITY_REASON_") - 1;
  return absl::AsciiStrToLower(v1::DiscontinuityReason_Name(reason).substr(kPrefixBytes));
}

prometheus::MetricFamily Dropped(const EventTally& tally) {
  auto dropped = MakeFamily("ferrite_subscriber_dropped_total",
                            "Times that subscriptions were told that events may be missing, and "
                            "(too_slow) that they were ended for not reading, by reason.",
                            prometheus::MetricType::Counter);
  for (int reason = v1::DiscontinuityReason_MIN + 1; reason < v1::DiscontinuityReason_ARRAYSIZE;
       ++reason) {
    AddCounter(&dropped, {{"reason", LabelOf(static_cast<v1::DiscontinuityReason>(reason))}},
               static_cast<double>(tally.discontinuities[reason].load()));
  }
  AddCounter(&dropped, {{"reason", "too_slow"}}, static_cast<double>(tally.streams_ended.load()));
  return dropped;
}

}  // namespace

std::vector<prometheus::MetricFamily> EventMetrics::Collect() const {
  const EventTally& tally = events_.tally();
  const auto gauge = [](const char* name, const char* help, uint64_t value) {
    return SingleGauge(name, help, static_cast<double>(value));
  };
  const auto counter = [](const char* name, const char* help, uint64_t value) {
    return SingleCounter(name, help, static_cast<double>(value));
  };
  return {
      gauge("ferrite_subscribers", "Subscriptions that are open.", events_.streams()),
      gauge("ferrite_subscribers_limit", "How many there may be.", events_.limits().subscribers),
      gauge("ferrite_subscriber_queue_bytes",
            "Bytes of events that wait for subscriptions, counted once for each.",
            events_.budget().held()),
      gauge("ferrite_subscriber_queue_bytes_limit", "How many there may be.",
            events_.budget().limit_bytes()),
      gauge("ferrite_subscriber_topic_bytes",
            "Bytes of what subscriptions follow, within the same limit.",
            events_.budget().topics()),
      Dropped(tally),
      counter("ferrite_subscriber_overflows_total",
              "Times that the queue of a subscription was full.", tally.overflows),
      counter("ferrite_subscriber_coalesced_total",
              "Events that newer ones of the same key or channel stood for.", tally.coalesced),
      counter("ferrite_published_total", "Messages published.", tally.published),
      counter("ferrite_events_recorded_total",
              "Messages and key events that a subscription followed.", tally.recorded),
      counter("ferrite_events_delivered_total", "Events sent, once for each subscription.",
              tally.delivered),
      gauge("ferrite_history_events", "Events kept for subscriptions that are resumed.",
            events_.log().events()),
      gauge("ferrite_history_bytes", "Bytes of these events.", events_.log().bytes()),
      gauge("ferrite_history_bytes_limit", "How many there may be.", events_.log().limits().bytes)};
}

}  // namespace ferrite
