#pragma once

// Ways in which the core could be wrong, for tests only: each must be found by the simulator. A
// core outside of tests has none.

namespace ferrite::cluster {

struct Faults {
  // The right to serve counts from when the answer came.
  bool right_from_answer = false;
  // A kept lease proves that the node key is there.
  bool keepalive_is_proof = false;
  // No answer to a renewal is taken for a good one.
  bool silence_is_consent = false;
  // The map that a renewal reads is not looked at.
  bool renewal_without_map = false;
  // There is no margin for clocks of different speed.
  bool no_margin = false;
  // The map is what the watch says.
  bool watch_believed = false;
  // A change of the map with an unknown result is made again, over whatever is there.
  bool change_repeated = false;
  // The slots of a node whose key is gone are given away at once.
  bool no_wait = false;
  // The slots of a node that is gone are given away without comparing that it still is.
  bool compare_left_out = false;
  // A node that came back and went again is not noticed.
  bool return_unnoticed = false;
  // Slots are given away before their owner has released them.
  bool release_not_awaited = false;
  // A node says that it has released slots while it still serves them.
  bool released_too_soon = false;
  // The floor of the map is not raised above what a node that is gone could have given.
  bool ceiling_ignored = false;
  // A node does not raise its floor when it gets slots.
  bool floor_not_raised = false;
  // Versions follow the wall clock wherever it goes.
  bool versions_unlimited = false;
  // An older map is as good as a newer one.
  bool epoch_back_accepted = false;
  // A node keeps what it holds of slots that were another's meanwhile.
  bool foreign_data_kept = false;
  // A node serves slots while it still drops what it held of them.
  bool drop_not_awaited = false;
  // The process that was started anew goes on where its predecessor was.
  bool boot_ignored = false;
  // A map that somebody deleted is made anew at once.
  bool second_map_at_once = false;
};

}  // namespace ferrite::cluster
