#pragma once

// What a principal may do, as policies name it.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

// Absent if there is no such verb.
constexpr std::optional<Verb> VerbNamed(std::string_view name) {
  const auto found = std::find(kVerbNames.begin(), kVerbNames.end(), name);
  if (found == kVerbNames.end()) return std::nullopt;
  return static_cast<Verb>(found - kVerbNames.begin());
}
// In the order of Verb.
inline std::vector<std::string> AllVerbNames() { return {kVerbNames.begin(), kVerbNames.end()}; }
inline std::vector<std::string> NamesOf(Verbs verbs) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kVerbNames.size(); ++i)
    if (verbs.Have(static_cast<Verb>(i))) names.emplace_back(kVerbNames[i]);
  return names;
}

// Those that are about keys, about channels, and about neither but the node.
inline constexpr Verbs kVerbsOfKeys =
    Verb::kRead | Verb::kWrite | Verb::kDelete | Verb::kScan | Verb::kSubscribe | Verb::kInvoke;
inline constexpr Verbs kVerbsOfChannels = Verb::kPublish | Verb::kSubscribe;
inline constexpr Verbs kVerbsOfNode = Verb::kAdmin | Verb::kMetrics;

}  // namespace ferrite::policy
