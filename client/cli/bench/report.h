#pragma once

// The result of a bench, for people and for programs.

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/cli/bench/bench_options.h"
#include "client/cli/bench/open_result.h"
#include "client/cli/bench/tally.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

struct BenchResult {
  Totals reads;
  Totals writes;
  Totals mixed;  // frames of both; see Tallies
  absl::Duration elapsed;
  bool interrupted = false;
  // The result of a run at a given rate; its calls are also in `reads` or `writes`.
  std::optional<OpenResult> open;

  Totals Sum() const {
    Totals sum = reads;
    sum.Add(writes);
    sum.Add(mixed);
    return sum;
  }
};

// A table: throughput, latencies, hits, errors. Without a line feed at the end.
std::string RenderTable(const BenchOptions& options, const BenchResult& result);

nlohmann::ordered_json RenderJson(const BenchOptions& options, const BenchResult& result);

// "12 calls failed: 10 UNAVAILABLE, 2 DEADLINE_EXCEEDED"; empty if none did.
std::string FailuresOf(const BenchResult& result);

// The progress in one line: `recent` is what happened in the last `interval`.
std::string RenderProgress(absl::Duration since_start, const Totals& recent,
                           absl::Duration interval, uint64_t failed_calls);

}  // namespace ferrite::cli
