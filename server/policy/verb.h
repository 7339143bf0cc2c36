#pragma once

// What a principal may do, as policies name it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ferrite::policy {

enum class Verb : uint8_t {
  kRead,       // keys
  kWrite,      // keys
  kDelete,     // keys
  kScan,       // keys
  kPublish,    // channels
  kSubscribe,  // channels, and events of keys
  kInvoke,     // keys, by functions
  kAdmin,      // the node or the cluster as a whole
};

// In the order of Verb.
inline constexpr std::array<std::string_view, 8> kVerbNames = {
    "read", "write", "delete", "scan", "publish", "subscribe", "invoke", "admin"};

// Any number of verbs.
class Verbs {
 public:
  constexpr Verbs() = default;
  constexpr Verbs(Verb verb) : bits_(static_cast<uint8_t>(1u << static_cast<unsigned>(verb))) {}

  constexpr Verbs operator|(Verbs other) const { return Of(bits_ | other.bits_); }
  constexpr Verbs operator&(Verbs other) const { return Of(bits_ & other.bits_); }
  constexpr Verbs& operator|=(Verbs other) { return *this = *this | other; }
  constexpr bool operator==(const Verbs&) const = default;
  // Whether all of these are among them.
  constexpr bool Have(Verbs those) const { return (bits_ & those.bits_) == those.bits_; }
  constexpr bool empty() const { return bits_ == 0; }

 private:
  static constexpr Verbs Of(unsigned bits) {
    Verbs verbs;
    verbs.bits_ = static_cast<uint8_t>(bits);
    return verbs;
  }

  uint8_t bits_ = 0;
};
constexpr Verbs operator|(Verb one, Verb other) { return Verbs(one) | Verbs(other); }

// Those that are about keys, and about channels. kAdmin is about neither.
inline constexpr Verbs kVerbsOfKeys =
    Verb::kRead | Verb::kWrite | Verb::kDelete | Verb::kScan | Verb::kSubscribe | Verb::kInvoke;
inline constexpr Verbs kVerbsOfChannels = Verb::kPublish | Verb::kSubscribe;

}  // namespace ferrite::policy
