#pragma once

// How far a load is, as a line that is rewritten.

#include <chrono>
#include <cstdint>

#include "client/cli/progress.h"

namespace ferrite::cli {

// Not thread-safe.
class LoadProgress {
 public:
  // `size` bytes are to be read; 0: that is not known.
  explicit LoadProgress(uint64_t size) : size_(size) {}

  // Shows that `entries` were stored, and `bytes` read, unless it has shown something just now.
  void Update(uint64_t entries, uint64_t bytes);

  // Clears the line, for others to print.
  void Wipe() { line_.Show(""); }

  // Since its construction.
  double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;

  const uint64_t size_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point shown_ = start_;
  ProgressLine line_;
};

}  // namespace ferrite::cli
