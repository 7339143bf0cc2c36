#include "server/guard/guard_metrics.h"

#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> GuardMetrics::Collect() const {
  auto cut = MakeFamily("ferrite_connections_cut_total",
                        "gRPC connections that were ended for what they sent, by what there was "
                        "too much of.",
                        prometheus::MetricType::Counter);
  for (size_t i = 0; i < kCutReasons; ++i) {
    AddCounter(&cut, {{"reason", kCutReasonNames[i]}},
               static_cast<double>(guard_.cut(static_cast<CutReason>(i))));
  }
  return {cut,
          SingleGauge("ferrite_unfinished_bytes",
                      "Bytes of requests and their headers that have begun and are not complete.",
                      static_cast<double>(guard_.unfinished_bytes())),
          SingleGauge("ferrite_unfinished_bytes_limit", "The limit on ferrite_unfinished_bytes.",
                      static_cast<double>(guard_.unfinished_limit()))};
}

}  // namespace ferrite
