#pragma once

// The W3C `traceparent` header: which trace a call belongs to.

#include <array>
#include <optional>
#include <string_view>

namespace ferrite {

// Of a fixed size, as the slow log keeps many.
class TraceParent {
 public:
  static constexpr size_t kTraceIdSize = 32;
  static constexpr size_t kSpanIdSize = 16;

  // They have these sizes.
  TraceParent(std::string_view trace_id, std::string_view span_id);

  // Lower-case hexadecimal digits.
  std::string_view trace_id() const { return {trace_id_.data(), trace_id_.size()}; }
  // Of the caller's span.
  std::string_view span_id() const { return {span_id_.data(), span_id_.size()}; }

  friend bool operator==(const TraceParent&, const TraceParent&) = default;

 private:
  std::array<char, kTraceIdSize> trace_id_;
  std::array<char, kSpanIdSize> span_id_;
};

// Reads "00-<trace id>-<span id>-<flags>"; of a version that is not known yet, the same part, as
// the recommendation has it. Absent if anything is not as it has to be: a wrong trace misleads more
// than none.
std::optional<TraceParent> ParseTraceParent(std::string_view text);

}  // namespace ferrite
