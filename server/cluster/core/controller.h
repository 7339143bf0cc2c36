#pragma once

// Changes the map, one change at a time, from what was listed last.
//
// A change compares the map's mod_revision. If its result is not known the controller does not
// assume any, and does not make the change again: it lists anew, and whichever map is there then
// is where it goes on.

#include <cstdint>
#include <optional>
#include <string>

#include "server/cluster/core/calls.h"
#include "server/cluster/core/event.h"
#include "server/cluster/core/jitter.h"
#include "server/cluster/core/listing.h"
#include "server/cluster/core/map_change.h"
#include "server/cluster/core/map_keeper.h"
#include "server/cluster/core/settings.h"
#include "server/cluster/core/takeover.h"
#include "server/cluster/keys.h"

namespace ferrite::cluster {

class Controller {
 public:
  // How long the set of nodes has to stay as it is before slots are taken from nodes that live; and
  // after which time they are all the same.
  static constexpr int64_t kSettleNs = 1'000'000'000;
  static constexpr int64_t kMaxSettleNs = 5'000'000'000;

  Controller(const CoreSettings& settings, const Keys& keys)
      : settings_(settings), keys_(keys), takeover_(settings, keys) {}

  // Somebody wants the slots even, now.
  void Rebalance() { rebalance_ = true; }
  // Whether listings with ceilings are of use.
  bool wants_listings(bool is_controller) const { return is_controller || rebalance_; }

  // A listing with ceilings has come, which goes with the map that `keeper` has. Makes a change if
  // there is one to make.
  void OnListing(const Listing& listing, const MapKeeper& keeper, int64_t controller_revision,
                 const Moment& now, Calls* calls, Jitter* jitter);
  // What has become of a change: the new map if it was made. Whatever it is, a listing is due.
  std::optional<MapReading> OnChange(const EtcdReply& reply);

  // When the next listing is of use at the latest.
  int64_t due_ns(const Moment& now) const;
  bool is_changing() const { return call_ != 0; }
  // Empty: none.
  const std::string& too_large() const { return too_large_; }
  std::string ceiling_missing() const;
  // Since the process started.
  uint64_t changes() const { return changes_; }
  uint64_t slots_given() const { return slots_given_; }

 private:
  void Settle(const Listing& listing, const Moment& now);
  bool IsSettled(const Moment& now) const;
  std::optional<MapChange> MakeFirst(const Listing& listing, const Moment& now, Jitter* jitter);
  void WriteCeilings(const Listing& listing, const MapKeeper& keeper, const Moment& now,
                     Calls* calls);
  void Collect(const Listing& listing, const MapKeeper& keeper, Calls* calls);

  const CoreSettings& settings_;
  const Keys& keys_;
  Takeover takeover_;
  bool rebalance_ = false;
  uint64_t nodes_hash_ = 0;  // of those who want to stay
  int64_t unchanged_since_ns_ = 0;
  int64_t unsettled_since_ns_ = kNever;  // kNever: settled
  int64_t map_gone_since_ns_ = kNever;   // kNever: it was there
  int64_t map_gone_ttl_ns_ = 0;
  int64_t map_gone_revision_ = 0;  // of the last ceiling of a node that may serve by it
  uint64_t call_ = 0;
  std::string sent_value_;
  std::string repeated_value_;  // Faults::change_repeated
  uint32_t sent_slots_given_ = 0;
  std::string too_large_;
  uint64_t changes_ = 0;
  uint64_t slots_given_ = 0;
};

}  // namespace ferrite::cluster
