#pragma once

// What has happened in a world, for whoever looks for the reason of a failure.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"

namespace ferrite::simulation {

class History {
 public:
  explicit History(bool records) : records_(records) {}

  bool records() const { return records_; }
  // Ignored unless it records: what is expensive to say asks first.
  void Add(int64_t now_ns, const std::string& who, const std::string& what) {
    if (!records_) return;
    lines_.push_back(
        absl::StrFormat("%10.4f %-6s %s", static_cast<double>(now_ns) / 1e9, who, what));
  }

  const std::vector<std::string>& lines() const { return lines_; }

 private:
  const bool records_;
  std::vector<std::string> lines_;
};

}  // namespace ferrite::simulation
