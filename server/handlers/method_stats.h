#pragma once

// The figures of each method, as Stats tells them.

#include "ferrite/v1/admin.pb.h"
#include "server/metrics/thread_counters.h"

namespace ferrite {

// Fills in `methods` and `latency_bounds_us`.
void FillMethodStats(const CounterRegistry& counters, v1::StatsResponse* response);

}  // namespace ferrite
