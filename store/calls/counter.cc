#include "store/calls/counter.h"

#include <algorithm>

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
  const int64_t from = result->value;
  const Int128 sum = static_cast<Int128>(from) + options.delta;
  // A bound stops the steps towards it. Who stands beyond it already goes no further, and may come
  // back.
  const bool above = options.delta > 0 && sum > options.max;
  const bool below = options.delta < 0 && sum < options.min;
  if (!above && !below) {
    result->value = static_cast<int64_t>(sum);
    return true;
  }
  if (!options.saturate) return false;
  result->saturated = true;
  result->value = above ? std::max(from, options.max) : std::min(from, options.min);
  return true;
}

}  // namespace ferrite
