#include "server/routing/routing_metrics.h"

#include <functional>
#include <utility>

#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> RoutingMetrics::Collect() const {
  const auto sum = [this](const std::function<const Counter&(const RoutingTally&)>& of) {
    uint64_t all = 0;
    for (const auto& thread : router_.threads()) {
      all += of(std::as_const(*thread).tally()).load(std::memory_order_relaxed);
    }
    return static_cast<double>(all);
  };
  prometheus::MetricFamily forwarded = MakeFamily(
      "ferrite_cluster_forwarded_total",
      "Operations that were sent to the nodes that own their slots, by what became of them.",
      prometheus::MetricType::Counter);
  for (size_t i = 0; i < kForwardedNames.size(); ++i) {
    const double count =
        sum([i](const RoutingTally& tally) -> const Counter& { return tally.forwarded[i]; });
    AddCounter(&forwarded, {{"result", kForwardedNames[i]}}, count);
  }
  prometheus::MetricFamily feed_ends = MakeFamily(
      "ferrite_cluster_feed_ends_total",
      "Streams of other nodes' events that ended while their subscriptions went on, by cause.",
      prometheus::MetricType::Counter);
  for (size_t i = 0; i < kFeedEndNames.size(); ++i) {
    const double count =
        sum([i](const RoutingTally& tally) -> const Counter& { return tally.feed_ends[i]; });
    AddCounter(&feed_ends, {{"reason", kFeedEndNames[i]}}, count);
  }
  return {std::move(forwarded),
          std::move(feed_ends),
          SingleGauge("ferrite_cluster_feeds",
                      "Streams of other nodes' events that this node composes subscriptions of.",
                      sum([](const RoutingTally& tally) -> const Counter& { return tally.feeds; })),
          SingleCounter(
              "ferrite_cluster_moved_total",
              "Operations that were answered with SLOT_MOVED, as their callers route by slot.",
              sum([](const RoutingTally& tally) -> const Counter& { return tally.moved; })),
          SingleGauge(
              "ferrite_cluster_lane_bytes",
              "Bytes of operations that were forwarded and have no answer yet.",
              sum([](const RoutingTally& tally) -> const Counter& { return tally.waiting_bytes; })),
          SingleGauge("ferrite_cluster_reply_bytes",
                      "Bytes of answers of other nodes that were not passed on yet.",
                      static_cast<double>(router_.replies().bytes()))};
}

}  // namespace ferrite
