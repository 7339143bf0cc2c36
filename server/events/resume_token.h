#pragma once

// A place in the log of one server, as its clients hold it: 16 bytes, the process that it is of and
// a sequence.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace ferrite {

struct ResumeToken {
  uint64_t process;
  uint64_t sequence;

  static constexpr size_t kBytes = 16;

  void Write(char* bytes) const {
    std::memcpy(bytes, &process, sizeof(process));
    std::memcpy(bytes + sizeof(process), &sequence, sizeof(sequence));
  }
  // Absent if it is none.
  static std::optional<ResumeToken> Read(std::string_view bytes) {
    if (bytes.size() != kBytes) return std::nullopt;
    ResumeToken token;
    std::memcpy(&token.process, bytes.data(), sizeof(token.process));
    std::memcpy(&token.sequence, bytes.data() + sizeof(token.process), sizeof(token.sequence));
    return token;
  }
};

}  // namespace ferrite
