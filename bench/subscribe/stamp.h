#pragma once

// What a message carries, so that who receives it can tell how old it is and whether any is
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
  uint64_t number = 0;  // counts all messages from 0

  void WriteTo(std::string* payload) const { std::memcpy(payload->data(), this, sizeof(*this)); }
  // Of a payload that was written to.
  static Stamp In(std::string_view payload) {
    Stamp stamp;
    std::memcpy(&stamp, payload.data(), sizeof(stamp));
    return stamp;
  }
};

}  // namespace ferrite::bench
