#include "server/events/glob.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <utility>

namespace ferrite {

// Reads a pattern from left to right.
class Glob::Parser {
 public:
  using Bytes = std::bitset<256>;

  explicit Parser(std::string_view pattern) : left_(pattern) {}

  std::optional<Glob> Parse() {
    Glob glob;
    std::vector<Bytes> items;
    bool star = false;
    bool literal = true;  // so far
    while (!left_.empty()) {
      if (left_[0] == '*') {
        left_.remove_prefix(1);
        glob.stays_[items.size() / kWordBits] |= uint64_t{1} << items.size() % kWordBits;
        star = true;
        literal = false;
        EndRun();
        continue;
      }
      Bytes item;
      if (!ParseItem(&item)) return std::nullopt;
      if (item.count() == 1) {
        run_ += static_cast<char>(First(item));
      } else {
        literal = false;
        EndRun();
      }
      if (literal) {
        glob.literal_prefix_ += static_cast<char>(First(item));
      } else {
        items.push_back(item);
      }
    }
    EndRun();
    glob.parts_ = PartsOf(std::move(runs_));
    glob.items_ = items.size();
    glob.any_rest_ = star && items.empty();
    glob.words_ = items.size() / kWordBits + 1;
    MakeRows(items, &glob);
    return glob;
  }

 private:
  static size_t First(const Bytes& bytes) {
    size_t byte = 0;
    while (!bytes[byte]) ++byte;
    return byte;
  }

  void EndRun() {
    if (!run_.empty()) runs_.push_back(std::exchange(run_, {}));
  }

  static std::vector<std::string> PartsOf(std::vector<std::string> runs) {
    if (runs.empty()) return {""};
    std::stable_sort(runs.begin(), runs.end(), [](const std::string& a, const std::string& b) {
      return a.size() > b.size();
    });
    if (runs.size() > kMostParts) runs.resize(kMostParts);
    for (std::string& run : runs) run = run.substr(run.size() - std::min(run.size(), kPartBytes));
    return runs;
  }

  // Takes the next byte, which `\` may stand before; false at the end.
  bool TakeByte(uint8_t* byte) {
    if (!left_.empty() && left_[0] == '\\') left_.remove_prefix(1);
    if (left_.empty()) return false;
    *byte = static_cast<uint8_t>(left_[0]);
    left_.remove_prefix(1);
    return true;
  }

  bool ParseItem(Bytes* item) {
    if (left_[0] == '?') {
      left_.remove_prefix(1);
      item->set();
      return true;
    }
    if (left_[0] == '[') {
      left_.remove_prefix(1);
      return ParseClass(item);
    }
    uint8_t byte;
    if (!TakeByte(&byte)) return false;
    item->set(byte);
    return true;
  }

  bool ParseClass(Bytes* item) {
    const bool negated = left_.starts_with('^');
    if (negated) left_.remove_prefix(1);
    while (!left_.starts_with(']')) {
      uint8_t first;
      if (!TakeByte(&first)) return false;
      uint8_t last = first;
      if (left_.size() >= 2 && left_[0] == '-' && left_[1] != ']') {
        left_.remove_prefix(1);
        if (!TakeByte(&last) || last < first) return false;
      }
      for (int byte = first; byte <= last; ++byte) item->set(static_cast<size_t>(byte));
    }
    left_.remove_prefix(1);
    if (item->none()) return false;
    if (negated) item->flip();
    return true;
  }

  static void MakeRows(const std::vector<Bytes>& items, Glob* glob) {
    std::array<States, 256> takes{};  // by byte
    for (size_t i = 0; i < items.size(); ++i) {
      for (size_t byte = 0; byte < takes.size(); ++byte) {
        takes[byte][i / kWordBits] |= uint64_t{items[i][byte]} << i % kWordBits;
      }
    }
    std::map<States, uint8_t> rows;
    for (size_t byte = 0; byte < takes.size(); ++byte) {
      const States& row = takes[byte];
      const auto [place, is_new] = rows.emplace(row, static_cast<uint8_t>(rows.size()));
      if (is_new) glob->takes_.insert(glob->takes_.end(), row.begin(), row.begin() + glob->words_);
      glob->row_of_[byte] = place->second;
    }
  }

  std::string_view left_;
  std::string run_;  // of literal bytes, up to here
  std::vector<std::string> runs_;
};

std::optional<Glob> Glob::Parse(std::string_view pattern) { return Parser(pattern).Parse(); }

bool Glob::MatchesRest(std::string_view rest) const {
  if (any_rest_) return true;
  States states{1};
  for (const char c : rest) {
    const uint64_t* const takes = &takes_[row_of_[static_cast<uint8_t>(c)] * words_];
    uint64_t carry = 0;
    uint64_t left = 0;
    for (size_t word = 0; word < words_; ++word) {
      const uint64_t taken = states[word] & takes[word];
      const uint64_t next = (taken << 1 | carry) | (states[word] & stays_[word]);
      carry = taken >> (kWordBits - 1);
      states[word] = next;
      left |= next;
    }
    if (left == 0) return false;
  }
  return states[items_ / kWordBits] >> items_ % kWordBits & 1;
}

}  // namespace ferrite
