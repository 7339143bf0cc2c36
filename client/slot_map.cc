#include "client/slot_map.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ferrite {

SlotMap SlotMap::SingleNode(std::string address) {
  SlotMap map;
  map.addresses_.push_back(std::move(address));
  map.owners_.fill(0);
  return map;
}

absl::StatusOr<SlotMap> SlotMap::Create(std::vector<std::string> addresses,
                                        const std::vector<SlotRange>& ranges) {
  SlotMap map;
  map.addresses_ = std::move(addresses);
  map.owners_.fill(kNobody);
  for (const SlotRange& range : ranges) {
    if (range.first > range.last || range.last >= kSlotCount || range.node >= map.node_count() ||
        range.node >= kNobody) {
      return absl::InvalidArgumentError(absl::StrCat("slots ", range.first, " to ", range.last,
                                                     " cannot be those of node ", range.node));
    }
    std::fill(map.owners_.begin() + range.first, map.owners_.begin() + range.last + 1,
              static_cast<uint16_t>(range.node));
  }
  return map;
}

std::optional<uint32_t> SlotMap::NodeOfSlot(uint32_t slot) const {
  const uint16_t owner = owners_[slot];
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
    if (part == parts.end()) {
      part = parts.insert(parts.end(), BatchPart{.node = node, .positions = {}});
    }
    part->positions.push_back(i);
  }
  return parts;
}

}  // namespace ferrite
