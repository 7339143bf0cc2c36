#pragma once

// Ctrl-C as a wish to see the results so far.

namespace ferrite::cli {

// While one exists, the first SIGINT or SIGTERM only sets a flag; the second ends the process as
// usual. One at a time.
class InterruptFlag {
 public:
  InterruptFlag();
  ~InterruptFlag();
  InterruptFlag(const InterruptFlag&) = delete;
  InterruptFlag& operator=(const InterruptFlag&) = delete;

  bool is_set() const;
};

}  // namespace ferrite::cli
