#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/call/caller.h"

namespace ferrite {

// A caller at a given address, without deadline and metadata.
class CallerFrom final : public Caller {
 public:
  explicit CallerFrom(std::string peer) : peer_(std::move(peer)) {}
  Clock::time_point deadline() const override { return Clock::time_point::max(); }
  std::string peer() const override { return peer_; }
  std::optional<std::string_view> Metadata(std::string_view) const override { return {}; }

 private:
  const std::string peer_;
};

}  // namespace ferrite
