#include "store/calls/counter.h"

namespace ferrite {

bool ParseCounter(std::string_view text, int64_t* value) {
  if (text.size() > kMaxCounterBytes) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  const size_t first_digit = text[0] == '-' ? 1 : 0;
  return text[first_digit] != '0' || text.size() == 1;
}

bool StepCounter(const IncrOptions& options, IncrResult* result) {
  __extension__ using Int128 = __int128;
  Int128 sum = static_cast<Int128>(result->value) + options.delta;
  if (sum < options.min || sum > options.max) {
    if (!options.saturate) return false;
    sum = sum < options.min ? options.min : options.max;
    result->saturated = true;
  }
  result->value = static_cast<int64_t>(sum);
  return true;
}

}  // namespace ferrite
