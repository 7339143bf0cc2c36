#pragma once

// A client's picture of its cluster: who owns which slots, as one node told it. Immutable, hence
// thread-safe; a newer one is a new picture.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "client/slot_map.h"
#include "client/topology/known_node.h"
#include "ferrite/v1/cluster.pb.h"

namespace ferrite {

class Picture {
 public:
  // Which cluster, and which of its maps.
  struct Version {
    std::string cluster;  // its name
    uint64_t uid = 0;     // 0: it has no map yet
    int64_t epoch = 0;

    // Whether a picture of this version may take the place of one of `other`'s. Epochs of one
    // cluster do not go back. INVALID_ARGUMENT if it is another cluster's.
    absl::StatusOr<bool> MayFollow(const Version& other) const;
  };

  // `node_at` finds the node at an address. INVALID_ARGUMENT if the topology makes no sense.
  static absl::StatusOr<std::shared_ptr<const Picture>> Create(
      const v1::Topology& topology,
      absl::FunctionRef<std::shared_ptr<KnownNode>(const std::string& address)> node_at);

  const Version& version() const { return version_; }
  const SlotMap& slots() const { return slots_; }
  // Numbered as in slots(). Null: it does not live, or its address is none.
  const std::vector<std::shared_ptr<KnownNode>>& nodes() const { return nodes_; }
  // Null: nobody owns the slot, or not a node that lives.
  KnownNode* OwnerOf(uint32_t slot) const {
    const std::optional<uint32_t> owner = slots_.NodeOfSlot(slot);
    return owner.has_value() ? nodes_[*owner].get() : nullptr;
  }
  // Null: no node has that address.
  KnownNode* NodeAt(const std::string& address) const;

 private:
  explicit Picture(SlotMap slots) : slots_(std::move(slots)) {}

  Version version_;
  SlotMap slots_;
  std::vector<std::shared_ptr<KnownNode>> nodes_;
};

}  // namespace ferrite
