#pragma once

// Patterns for names: `*` stands for any bytes or none, `?` for one byte, `[a-z]` for one of a
// class, `[^a-z]` for one not of it, and `\` takes the next byte as it is. Whatever else stands for
// itself.
//
// A name is matched by an automaton that is in many states at once, one bit each: a byte of the
// name costs the same few operations whatever came before it. There is no backtracking, so the time
// is linear in the name for every pattern.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite {

// Immutable. Thread-safe.
class Glob {
 public:
  static constexpr size_t kMaxBytes = 256;

  // Absent if a class does not end, is empty or runs backwards, or if the pattern ends with `\`.
  // `pattern` has at most kMaxBytes.
  static std::optional<Glob> Parse(std::string_view pattern);

  // What every name that matches begins with.
  const std::string& literal_prefix() const { return literal_prefix_; }
  // Whether only `literal_prefix` itself matches.
  bool IsLiteral() const { return !any_rest_ && items_ == 0; }
  // Whether whatever begins with `literal_prefix` matches.
  bool IsPrefix() const { return any_rest_; }
  // Strings that every name that matches contains: its runs of literal bytes, the longest first, of
  // each the last kPartBytes. Never empty: where there is no such run, it is the empty string.
  static constexpr size_t kPartBytes = 8;
  static constexpr size_t kMostParts = 4;
  const std::vector<std::string>& parts() const { return parts_; }

  // Whether a name matches that begins with `literal_prefix`; `rest` is what follows that.
  bool MatchesRest(std::string_view rest) const;
  bool Matches(std::string_view name) const {
    return name.starts_with(literal_prefix_) && MatchesRest(name.substr(literal_prefix_.size()));
  }

 private:
  static constexpr size_t kWordBits = 64;
  // A state for each item of a pattern, and one for its end.
  static constexpr size_t kMaxWords = kMaxBytes / kWordBits + 1;
  using States = std::array<uint64_t, kMaxWords>;

  class Parser;

  std::string literal_prefix_;
  std::vector<std::string> parts_;
  // What follows the prefix, but for stars: items that take one byte each. State i has taken the
  // first i of them.
  size_t items_ = 0;
  bool any_rest_ = false;  // a lone star follows the prefix
  size_t words_ = 1;
  States stays_{};                     // states before a star: they also take any byte and stay
  std::array<uint8_t, 256> row_of_{};  // bytes that all items treat alike share a row of `takes_`
  std::vector<uint64_t> takes_;        // row by row: the items that take such a byte
};

}  // namespace ferrite
