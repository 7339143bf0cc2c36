#include "server/slowlog/trace_parent.h"

#include <algorithm>

#include "base/check.h"

namespace ferrite {
namespace {

// "vv-tttttttttttttttttttttttttttttttt-ssssssssssssssss-ff"
constexpr size_t kVersionSize = 2;
constexpr size_t kTraceIdBegin = 3;
constexpr size_t kSpanIdBegin = 36;
constexpr size_t kFlagsBegin = 53;
constexpr size_t kSize = 55;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// An id of zeros alone stands for none.
bool IsId(std::string_view text) {
  return IsHex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

TraceParent::TraceParent(std::string_view trace_id, std::string_view span_id) {
  FERRITE_CHECK(trace_id.size() == kTraceIdSize && span_id.size() == kSpanIdSize);
  std::copy(trace_id.begin(), trace_id.end(), trace_id_.begin());
  std::copy(span_id.begin(), span_id.end(), span_id_.begin());
}

std::optional<TraceParent> ParseTraceParent(std::string_view text) {
  if (text.size() < kSize) return std::nullopt;
  const std::string_view version = text.substr(0, kVersionSize);
  if (!IsHex(version) || version == "ff") return std::nullopt;
  // Version 00 ends here; later ones may go on after a dash.
  if (text.size() > kSize && (version == "00" || text[kSize] != '-')) return std::nullopt;
  for (const size_t dash : {kTraceIdBegin - 1, kSpanIdBegin - 1, kFlagsBegin - 1}) {
    if (text[dash] != '-') return std::nullopt;
  }
  const std::string_view trace_id = text.substr(kTraceIdBegin, TraceParent::kTraceIdSize);
  const std::string_view span_id = text.substr(kSpanIdBegin, TraceParent::kSpanIdSize);
  const std::string_view flags = text.substr(kFlagsBegin, kSize - kFlagsBegin);
  if (!IsId(trace_id) || !IsId(span_id) || !IsHex(flags)) return std::nullopt;
  return TraceParent(trace_id, span_id);
}

}  // namespace ferrite
