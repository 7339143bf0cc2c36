#pragma once

// Reads flags as what they stand for, and checks them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/settings/flags.h"

namespace ferrite {

// What a flag's number may be, both ends included.
struct Range {
  uint64_t least = 0;
  uint64_t most = 0;
};

// Collects the first complaint, so that whoever reads many flags reads as a list. A complaint names
// the flag or the environment variable that is to blame. Flags that cannot be read give the least
// value. `values` must have every flag, and outlive it. Not thread-safe.
class FlagReader {
 public:
  explicit FlagReader(const FlagValues& values) : values_(values) {}

  // What shares are of, from now on, and where that comes from, for complaints.
  void SetWhole(uint64_t bytes, std::string source) {
    whole_bytes_ = bytes;
    whole_source_ = std::move(source);
  }

  const std::string& Text(std::string_view name) const { return ValueOf(name).text; }
  std::string Choice(std::string_view name, const std::vector<std::string>& choices);
  uint64_t Count(std::string_view name, const Range& range);
  uint64_t Bytes(std::string_view name, const Range& range);
  uint64_t BytesOrShare(std::string_view name, const Range& range);
  // The same; 0 stands for none and is allowed, too, but not as what a share comes to.
  uint64_t BytesOrShareOrNone(std::string_view name, const Range& range);
  // 0, or from `least` to `most`. What counts in milliseconds may not round down to nothing.
  absl::Duration Duration(std::string_view name, absl::Duration least, absl::Duration most);
  // Absent for "off".
  std::optional<absl::Duration> DurationOrOff(std::string_view name, absl::Duration most);

  template <typename T>
  T Value(std::string_view name, absl::StatusOr<T> parsed) {
    Require(parsed.ok(), name, std::string(parsed.status().message()));
    return parsed.ok() ? *std::move(parsed) : T();
  }
  // Complains of the flag unless `holds`.
  void Require(bool holds, std::string_view name, const std::string& complaint);

  // Which of two that contradict each other is to blame: the one that a call sets now, or the one
  // that somebody set while the other is at its default; else the first.
  std::string_view Culprit(std::string_view first, std::string_view second) const;

  // Whether somebody set the flag, rather than leaving it at its default.
  bool IsSet(std::string_view name) const { return ValueOf(name).source != FlagSource::kDefault; }
  // "--max-memory", or the environment variable that it was set by; "max-memory" in a call.
  std::string Spelled(std::string_view name) const;

  const absl::Status& status() const { return status_; }

 private:
  const FlagValue& ValueOf(std::string_view name) const;
  uint64_t InRange(std::string_view name, uint64_t value, const Range& range,
                   std::string (*render)(uint64_t));
  // Complains of an amount that cannot be read, with the range.
  uint64_t Amount(std::string_view name, absl::StatusOr<uint64_t> parsed, const Range& range);

  const FlagValues& values_;
  uint64_t whole_bytes_ = 0;
  std::string whole_source_;
  absl::Status status_;
};

}  // namespace ferrite
