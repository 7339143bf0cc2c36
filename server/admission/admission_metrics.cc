#include "server/admission/admission_metrics.h"

#include "absl/strings/ascii.h"
#include "server/call/status.h"
#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> AdmissionMetrics::Collect() const {
  auto shed = MakeFamily("ferrite_shed_total",
                         "Calls, and operations of batches, turned away unexecuted, by reason.",
                         prometheus::MetricType::Counter);
  for (size_t i = 0; i < kShedReasonNames.size(); ++i) {
    AddCounter(&shed, {{"reason", kShedReasonNames[i]}},
               static_cast<double>(counters_.Sum([i](const ThreadCounters& thread) {
                 return thread.count(static_cast<ShedReason>(i));
               })));
  }
  auto refused = MakeFamily("ferrite_refused_total",
                            "Calls, and operations of batches, that failed, by the reason of their "
                            "ErrorInfo.",
                            prometheus::MetricType::Counter);
  for (int reason = v1::ERROR_REASON_UNSPECIFIED + 1; reason < v1::ErrorReason_ARRAYSIZE;
       ++reason) {
    const std::string name = v1::ErrorReason_Name(static_cast<v1::ErrorReason>(reason));
    if (name.empty()) continue;
    AddCounter(&refused, {{"reason", absl::AsciiStrToLower(name)}},
               static_cast<double>(counters_.Sum([reason](const ThreadCounters& thread) {
                 return thread.refused(static_cast<size_t>(reason));
               })));
  }
  const auto gauge = [](const char* name, const char* help, uint64_t value) {
    return SingleGauge(name, help, static_cast<double>(value));
  };
  return {
      shed,
      refused,
      SingleCounter("ferrite_stalled_replies_total",
                    "Calls that were ended as their clients had not taken a message for too "
                    "long.",
                    static_cast<double>(counters_.Sum(
                        [](const ThreadCounters& thread) { return thread.stalled_replies(); }))),
      gauge("ferrite_inflight_operations", "Operations taken up whose answers are not out yet.",
            admissions_.budget.operations()),
      gauge("ferrite_inflight_operations_limit", "How many there may be.",
            admissions_.budget.limits().operations),
      gauge("ferrite_inflight_bytes",
            "Bytes of requests and replies in progress, and what gRPC holds for each call.",
            admissions_.budget.bytes()),
      gauge("ferrite_inflight_bytes_limit", "How many there may be.",
            admissions_.budget.limits().bytes),
      gauge("ferrite_streams", "Streams that are open, without subscriptions.",
            admissions_.places.taken()),
      gauge("ferrite_streams_limit", "How many there may be.", admissions_.places.limits().all)};
}

}  // namespace ferrite
