#pragma once

// Which node owns which slot, and how a batch of keys is split by node.
//
//   SlotMap map = SlotMap::SingleNode("127.0.0.1:6380");
//   map.node_address(*map.NodeOf("user:1"));   // "127.0.0.1:6380"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "proto/slot.h"

namespace ferrite {

// Slots `first` to `last`, both included, belong to node number `node`.
struct SlotRange {
  uint32_t first;
  uint32_t last;
  uint32_t node;
};

// A snapshot of the cluster. Immutable, hence thread-safe; a newer snapshot is a new map.
class SlotMap {
 public:
  // A map in which one node owns every slot.
  static SlotMap SingleNode(std::string address);

  // Nodes are numbered in the order of `addresses`. A slot in no range belongs to nobody; of
  // overlapping ranges the last one wins. INVALID_ARGUMENT if a range exceeds the slots, ends
  // before it starts, or names a node that does not exist.
  static absl::StatusOr<SlotMap> Create(std::vector<std::string> addresses,
                                        const std::vector<SlotRange>& ranges);

  // The node that owns `key`, or a slot; absent if none does.
  std::optional<uint32_t> NodeOf(std::string_view key) const { return NodeOfSlot(SlotOf(key)); }
  std::optional<uint32_t> NodeOfSlot(uint32_t slot) const;

  size_t node_count() const { return addresses_.size(); }
  const std::string& node_address(uint32_t node) const { return addresses_[node]; }

 private:
  static constexpr uint16_t kNobody = UINT16_MAX;

  SlotMap() = default;

  std::vector<std::string> addresses_;
  std::array<uint16_t, kSlotCount> owners_;
};

// The part of a batch that goes to one node: the positions of its keys within the batch, ascending.
struct BatchPart {
  std::optional<uint32_t> node;  // absent: nobody owns these keys
  std::vector<int> positions;
};

// Splits the batch of keys key_at(0) to key_at(count - 1) into one part per node, in the order in
// which the nodes first appear. No part is empty; no keys give no parts.
std::vector<BatchPart> SplitByNode(const SlotMap& map, int count,
                                   absl::FunctionRef<std::string_view(int)> key_at);

}  // namespace ferrite
