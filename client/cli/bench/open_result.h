#pragma once

// The result of a bench at a given rate: what was offered to the server, and what became of it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/bench/tally.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// Counts of arrivals. Once all calls have ended, offered = unsent + good + late + shed + expired +
// failed.
struct OpenCounts {
  uint64_t offered = 0;
  uint64_t unsent = 0;   // made no call: all lanes were busy, or the load generator was behind
  uint64_t good = 0;     // OK within the deadline
  uint64_t late = 0;     // OK beyond it
  uint64_t shed = 0;     // RESOURCE_EXHAUSTED
  uint64_t expired = 0;  // DEADLINE_EXCEEDED
  uint64_t failed = 0;   // any other status

  void Add(const OpenCounts& other);
  // The difference to `earlier`.
  OpenCounts Since(const OpenCounts& earlier) const;
};

// The counts of one stretch of time.
struct OpenInterval {
  absl::Duration end;  // since the start of the run
  OpenCounts counts;
};

struct OpenResult {
  OpenCounts counts;
  Latencies latency;  // of the good and the late calls
  std::vector<OpenInterval> timeline;
};

// Lines of a table.
std::vector<std::string> RenderOpenLines(const OpenResult& result, absl::Duration elapsed);
nlohmann::ordered_json RenderOpenJson(const OpenResult& result, absl::Duration elapsed);

}  // namespace ferrite::cli
