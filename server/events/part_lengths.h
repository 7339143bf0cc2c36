#pragma once

// Which lengths the parts of globs have by which somebody is found: so that of a name only parts of
// such lengths are looked up.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/events/glob.h"
#include "server/events/prefix_lengths.h"

namespace ferrite {

// ForEachIn is thread-safe; Add and Remove must not come at the same time.
class PartLengths {
 public:
  void Add(size_t length) {
    if (++counts_[length] == 1) present_.fetch_or(Bit(length));
  }
  void Remove(size_t length) {
    if (--counts_[length] == 0) present_.fetch_and(~Bit(length));
  }

  // Calls visit(part, hash) for each part of `name` whose length is there: again for a part that
  // is in the name again.
  template <typename Visit>
  void ForEachIn(std::string_view name, Visit visit) const {
    const uint32_t present = present_.load();
    if (present == 0) return;
    if ((present & Bit(0)) != 0) visit(std::string_view(), NameHash::Of({}));
    if (present == Bit(0)) return;
    for (size_t begin = 0; begin < name.size(); ++begin) {
      const size_t most = std::min(name.size() - begin, Glob::kPartBytes);
      NameHash hash;
      for (size_t length = 1; length <= most; ++length) {
        hash.Add(name.substr(begin + length - 1, 1));
        if ((present & Bit(length)) != 0) visit(name.substr(begin, length), hash.value());
      }
    }
  }

 private:
  static uint32_t Bit(size_t length) { return uint32_t{1} << length; }

  std::atomic<uint32_t> present_{0};
  std::array<uint32_t, Glob::kPartBytes + 1> counts_{};
};

}  // namespace ferrite
