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
  kMetrics,    // the node, read over HTTP
};

// In the order of Verb.
inline constexpr std::array<std::string_view, 9> kVerbNames = {
    "read", "write", "delete", "scan", "publish", "subscribe", "invoke", "admin", "metrics"};

// Any number of verbs.
class Verbs {
 public:
  constexpr Verbs() = default;
  constexpr Verbs(Verb verb) : bits_(static_cast<uint16_t>(1u << static_cast<unsigned>(verb))) {}

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
    verbs.bits_ = static_cast<uint16_t>(bits);
    return verbs;
  }

  uint16_t bits_ = 0;
};
constexpr Verbs operator|(Verb one, Verb other) { return Verbs(one) | Verbs(other); }

// Those that are about keys, about channels, and about neither but the node.
inline constexpr Verbs kVerbsOfKeys =
    Verb::kRead | Verb::kWrite | Verb::kDelete | Verb::kScan | Verb::kSubscribe | Verb::kInvoke;
inline constexpr Verbs kVerbsOfChannels = Verb::kPublish | Verb::kSubscribe;
inline constexpr Verbs kVerbsOfNode = Verb::kAdmin | Verb::kMetrics;

}  // namespace ferrite::policy
