#pragma once

// Counters: values that are decimal integers.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/operation.h"

namespace ferrite {

// The longest decimal int64, sign included.
inline constexpr size_t kMaxCounterBytes = 20;

// Each int64 has one spelling: no sign but '-', no leading zero, no space. So a counter reads back
// as it was written. False if `text` is none.
bool ParseCounter(std::string_view text, int64_t* value);

// The decimal spelling of a counter.
class CounterText {
 public:
  explicit CounterText(int64_t value)
      : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof(text_), value).ptr - text_)) {
  }
  std::string_view view() const { return {text_, size_}; }

 private:
  char text_[kMaxCounterBytes];
  const size_t size_;
};

// Takes the step from `result->value`. False, and nothing is changed, if that is not allowed: up
// beyond `max`, or down beyond `min`. It saturates in the same cases, at the bound or, if the
// counter is beyond it already, where it is.
bool StepCounter(const IncrOptions& options, IncrResult* result);

}  // namespace ferrite
