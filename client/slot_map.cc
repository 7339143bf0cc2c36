#include "client/slot_map.h"

#include <algorithm>
#include <utility>

namespace ferrite {

SlotMap SlotMap::SingleNode(std::string address) {
  return SlotMap({std::move(address)}, {{.first = 0, .last = kSlotCount - 1, .node = 0}});
}

SlotMap::SlotMap(std::vector<std::string> addresses, const std::vector<SlotRange>& ranges)
    : addresses_(std::move(addresses)) {
  owners_.fill(kNobody);
  for (const SlotRange& range : ranges) {
    std::fill(owners_.begin() + range.first, owners_.begin() + range.last + 1,
              static_cast<uint16_t>(range.node));
  }
}

std::optional<uint32_t> SlotMap::NodeOf(std::string_view key) const {
  const uint16_t owner = owners_[SlotOf(key)];
  if (owner == kNobody) return std::nullopt;
  return owner;
}

std::vector<BatchPart> SplitByNode(const SlotMap& map, int count,
                                   absl::FunctionRef<std::string_view(int)> key_at) {
  std::vector<BatchPart> parts;
  for (int i = 0; i < count; ++i) {
    const std::optional<uint32_t> node = map.NodeOf(key_at(i));
    auto part = std::find_if(parts.begin(), parts.end(),
                             [&](const BatchPart& p) { return p.node == node; });
    if (part == parts.end())
      part = parts.insert(parts.end(), BatchPart{.node = node, .positions = {}});
    part->positions.push_back(i);
  }
  return parts;
}

}  // namespace ferrite
