#pragma once

// The W3C `traceparent` header: which trace a call belongs to.

#include <optional>
#include <string>
#include <string_view>

namespace ferrite {

struct TraceParent {
  std::string trace_id;  // 32 lower-case hexadecimal digits
  std::string span_id;   // 16, of the caller's span

  friend bool operator==(const TraceParent&, const TraceParent&) = default;
};

// Reads "00-<trace id>-<span id>-<flags>"; of a version that is not known yet, the same part, as
// the recommendation has it. Absent if anything is not as it has to be: a wrong trace misleads more
// than none.
std::optional<TraceParent> ParseTraceParent(std::string_view text);

}  // namespace ferrite
