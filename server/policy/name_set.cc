#include "server/policy/name_set.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ferrite::policy {
namespace {

uint64_t Load(const char* from, size_t bytes) {
  uint64_t loaded = 0;
  std::memcpy(&loaded, from, bytes);
  return loaded;
}

// Up to eight bytes, the first of them the highest, and zeros after them. Without a call of memcpy,
// as one of a length that is not known would be.
uint64_t BigEndian(std::string_view text) {
  const size_t size = text.size();
  if (size >= 8) [[likely]]
    return __builtin_bswap64(Load(text.data(), 8));
  uint64_t loaded = 0;
  if (size >= 4) {  // which overlap
    loaded = Load(text.data(), 4) | Load(text.data() + size - 4, 4) << (8 * (size - 4));
  } else if (size > 0) {
    loaded = Load(text.data(), 1) | Load(text.data() + size / 2, 1) << (8 * (size / 2)) |
             Load(text.data() + size - 1, 1) << (8 * (size - 1));
  }
  return __builtin_bswap64(loaded);
}

// How many of the sorted heads are not above this one. Without branches, as nobody could foretell
// them.
size_t CountUpTo(const std::vector<NameHead>& heads, NameHead head) {
  const NameHead* begin = heads.data();
  size_t left = heads.size();
  if (left == 0) return 0;
  while (left > 1) {
    const size_t half = left / 2;
    begin += begin[half - 1] <= head ? half : 0;
    left -= half;
  }
  return static_cast<size_t>(begin - heads.data()) + (*begin <= head ? 1 : 0);
}

// What is missing counts as zero, so equal heads say nothing.
NameHead HeadOf(std::string_view text) {
  constexpr size_t kHalf = sizeof(NameHead) / 2;
  const uint64_t high = BigEndian(text);
  const uint64_t low = text.size() > kHalf ? BigEndian(text.substr(kHalf)) : 0;
  return NameHead{high} << 64 | low;
}

}  // namespace

void NameSet::Add(std::string_view text, Verbs on_prefix, Verbs on_name) {
  entries_.push_back({std::string(text), on_prefix, on_name, kNone});
  on_some_ |= on_name;
}

void NameSet::Compile() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& one, const Entry& other) { return one.text < other.text; });
  std::vector<Entry> merged;
  for (Entry& entry : entries_) {
    if (merged.empty() || merged.back().text != entry.text) {
      merged.push_back(std::move(entry));
      continue;
    }
    merged.back().on_prefix |= entry.on_prefix;
    merged.back().on_name |= entry.on_name;
  }
  entries_ = std::move(merged);
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    uint32_t parent = i == 0 ? kNone : i - 1;
    while (parent != kNone && !entry.text.starts_with(entries_[parent].text)) {
      parent = entries_[parent].parent;
    }
    entry.parent = parent;
    if (parent != kNone) entry.on_prefix |= entries_[parent].on_prefix;
    entry.on_name |= entry.on_prefix;
    heads_.push_back(HeadOf(entry.text));
  }
  on_all_ = OfAllWith({});
}

const NameSet::Entry* NameSet::Longest(std::string_view name) const {
  const NameHead head = HeadOf(name);
  size_t after = CountUpTo(heads_, head);
  if (after > 0 && heads_[after - 1] == head) [[unlikely]] {
    // Of those with the same head, some may be after the name.
    const auto same = std::lower_bound(heads_.begin(),
                                       heads_.begin() + static_cast<std::ptrdiff_t>(after), head) -
                      heads_.begin();
    const auto is_before = [](std::string_view text, const Entry& entry) {
      return text < entry.text;
    };
    after = static_cast<size_t>(
        std::upper_bound(entries_.begin() + same,
                         entries_.begin() + static_cast<std::ptrdiff_t>(after), name, is_before) -
        entries_.begin());
  }
  if (after == 0) return nullptr;
  const Entry* entry = &entries_[after - 1];
  while (!name.starts_with(entry->text)) {
    if (entry->parent == kNone) return nullptr;
    entry = &entries_[entry->parent];
  }
  return entry;
}

Verbs NameSet::Find(std::string_view name) const {
  const Entry* const longest = Longest(name);
  if (longest == nullptr) return {};
  return longest->text.size() == name.size() ? longest->on_name : longest->on_prefix;
}

Verbs NameSet::OfAllWith(std::string_view prefix) const {
  const Entry* const longest = Longest(prefix);
  return longest == nullptr ? Verbs() : longest->on_prefix;
}

}  // namespace ferrite::policy
