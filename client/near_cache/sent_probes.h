#pragma once

// The probes of a near cache that are under way, by what is in them. Others may publish to its
// channel, too: what was not sent from here, and then, proves nothing. So each has a number that
// nobody can guess before it is sent.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace ferrite {

// Thread-safe.
class SentProbes {
 public:
  // More are not waited for: by then newer ones have come back, or none will.
  static constexpr size_t kMost = 64;

  // The payload of a probe that is sent now.
  std::string Make(int64_t now_ns);
  // When the probe with that payload was sent; absent: by nobody here.
  std::optional<int64_t> SentAt(std::string_view payload) const;

 private:
  struct Sent {
    std::string payload;
    int64_t at_ns;
  };

  mutable std::mutex mutex_;
  std::deque<Sent> sent_;  // guarded by mutex_
};

}  // namespace ferrite
