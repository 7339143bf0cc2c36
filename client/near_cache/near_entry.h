#pragma once

// The answer of a near cache: an entry or a miss.

#include <cstdint>
#include <string_view>
#include <utility>

#include "client/near_cache/held_entry.h"

namespace ferrite {

// A share of an immutable entry. It is cheap to copy and stays valid for as long as it exists, even
// if the cache has dropped the entry or was destroyed. Different shares of one entry may be used by
// different threads.
class NearEntry {
 public:
  // A miss.
  NearEntry() = default;
  // Takes over a share of the caller's.
  explicit NearEntry(HeldEntry* share) : entry_(share) {}
  NearEntry(const NearEntry& other) : entry_(other.entry_) {
    if (entry_ != nullptr) entry_->Share();
  }
  NearEntry(NearEntry&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  NearEntry& operator=(NearEntry other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~NearEntry() {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): the analyzer cannot count shares
    if (entry_ != nullptr) entry_->GiveBack();
  }

  // Whether the key exists. If not, the other members are empty.
  bool found() const { return entry_ != nullptr; }
  // Valid as long as this share.
  std::string_view value() const {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): the analyzer cannot count shares
    return entry_ != nullptr ? entry_->value() : std::string_view();
  }
  uint64_t version() const { return entry_ != nullptr ? entry_->version() : 0; }

 private:
  friend class NearShard;

  HeldEntry* entry_ = nullptr;
};

}  // namespace ferrite
