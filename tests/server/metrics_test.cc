#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <thread>

#include "server/admission/admission_metrics.h"
#include "server/metrics/process_metrics.h"
#include "server/metrics/rpc_metrics.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {
namespace {

const prometheus::MetricFamily& FamilyOf(const std::vector<prometheus::MetricFamily>& families,
                                         const std::string& name) {
  for (const auto& family : families) {
    if (family.name == name) return family;
  }
  ADD_FAILURE() << "no family " << name;
  return families.front();
}

TEST(MethodCounters, ABucketHoldsItsUpperBound) {
  MethodCounters counters;
  counters.Record(10'000);  // 10 us, the first bound
  counters.Record(10'001);
  counters.Record(60'000'000'000);
  EXPECT_EQ(counters.latency[0], 1u);
  EXPECT_EQ(counters.latency[1], 1u);
  EXPECT_EQ(counters.latency[kLatencyBounds.size()], 1u);
  EXPECT_EQ(counters.latency_sum_ns, 60'000'020'001u);
}

TEST(CounterRegistry, SumsOverThreadsAlsoThoseThatEnded) {
  CounterRegistry registry;
  for (int i = 0; i < 3; ++i) {
    std::thread([&] {
      registry.AttachThread();
      ThreadCounters::Current().Count(CacheOutcome::kGetHit, 5);
      ThreadCounters::Add(&ThreadCounters::Current().of(Method::kGet).started, 2);
      ThreadCounters::Add(&ThreadCounters::Current().of(Method::kGet).handled[0], 1);
    }).join();
  }
  EXPECT_EQ(registry.Sum(
                [](const ThreadCounters& thread) { return thread.count(CacheOutcome::kGetHit); }),
            15u);
  EXPECT_EQ(registry.Inflight(Method::kGet), 3u);
  EXPECT_EQ(registry.Inflight(), 3u);
}

TEST(RpcMetrics, EveryLabelSetIsThereFromTheStart) {
  CounterRegistry registry;
  const auto families = RpcMetrics(&registry).Collect();
  EXPECT_EQ(FamilyOf(families, "grpc_server_handled_total").metric.size(),
            kMethodCount * kStatusCodeCount);
  EXPECT_EQ(FamilyOf(families, "grpc_server_started_total").metric.size(), kMethodCount);
  EXPECT_EQ(FamilyOf(families, "ferrite_cache_requests_total").metric.size(),
            kCacheOutcomeNames.size());
  const auto& histogram =
      FamilyOf(families, "grpc_server_handling_seconds").metric.front().histogram;
  EXPECT_EQ(histogram.bucket.size(), kLatencyBounds.size() + 1);
}

TEST(AdmissionMetrics, EveryReasonIsThereFromTheStart) {
  CounterRegistry registry;
  registry.AttachThread();
  Admissions admissions({.operations = 7, .bytes = 1000});
  InflightBudget& budget = admissions.budget;
  AdmissionMetrics metrics(&registry, &admissions);
  const auto before = FamilyOf(metrics.Collect(), "ferrite_shed_total");
  EXPECT_EQ(before.metric.size(), kShedReasonNames.size());
  for (const auto& metric : before.metric) EXPECT_EQ(metric.counter.value, 0);
  ThreadCounters::Current().Count(ShedReason::kBytes);
  budget.Take(budget.ShareOf(1), 2, 300);
  const auto families = metrics.Collect();
  EXPECT_EQ(FamilyOf(families, "ferrite_shed_total").metric[1].label[0].value, "bytes");
  EXPECT_EQ(FamilyOf(families, "ferrite_shed_total").metric[1].counter.value, 1);
  EXPECT_EQ(FamilyOf(families, "ferrite_inflight_operations").metric[0].gauge.value, 2);
  EXPECT_EQ(FamilyOf(families, "ferrite_inflight_bytes").metric[0].gauge.value, 300);
  EXPECT_EQ(FamilyOf(families, "ferrite_inflight_bytes_limit").metric[0].gauge.value, 1000);
}

TEST(ProcessMetrics, TellsOfThisProcess) {
  const auto families = ProcessMetrics().Collect();
  EXPECT_GT(FamilyOf(families, "process_resident_memory_bytes").metric[0].gauge.value, 1e6);
  EXPECT_GT(FamilyOf(families, "process_open_fds").metric[0].gauge.value, 2);
  EXPECT_GT(FamilyOf(families, "process_start_time_seconds").metric[0].gauge.value, 1.6e9);
  EXPECT_GE(FamilyOf(families, "process_threads").metric[0].gauge.value, 1);
}

}  // namespace
}  // namespace ferrite
