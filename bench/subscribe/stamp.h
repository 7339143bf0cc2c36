#pragma once

// The content of a message, from which its receiver can tell its age and whether any message is
// missing.

#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ferrite::bench {

using Clock = std::chrono::steady_clock;

struct Stamp {
  Clock::rep sent = 0;  // of Clock
  uint64_t number = 0;  // numbers all messages from 0

  void WriteTo(std::string* payload) const { std::memcpy(payload->data(), this, sizeof(*this)); }
  // Reads the stamp of a payload.
  static Stamp In(std::string_view payload) {
    Stamp stamp;
    std::memcpy(&stamp, payload.data(), sizeof(stamp));
    return stamp;
  }
};

}  // namespace ferrite::bench
