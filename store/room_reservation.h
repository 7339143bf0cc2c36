#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "store/store.h"

namespace ferrite {

class Evictor;
class ReservedBytes;

// Makes room for a large write ahead of it, a bounded step at a time: into a store that is full of
// small entries, one value of 64 MiB evicts a million of them. A step evicts some 100 entries, or
// copies 256 KiB, and takes about 200 us; other calls go on meanwhile.
//
// What the write replaces makes room too. It stays until then, so for that moment the process has
// both. The room counts as used, so that other writers evict for themselves. Victims are chosen as
// for any write, but shard by shard in turn, and not all from the shard of one key. What is not
// used when the reservation ends is given back.
//
// For one value, the reservation also makes the block that the entry will hold:
//
//   RoomReservation room(&store, key, value);
//   while (room.Step() == RoomReservation::Progress::kMore) ServeOthers();
//   store.Set(key, &room, options);
//
// For many values, or in other cases, reserve their bytes, and give them back right before the
// write:
//
//   RoomReservation room(&store, RoomReservation::BytesFor(&store, items));
//   while (room.Step() == RoomReservation::Progress::kMore) ServeOthers();
//   room.GiveBack();
//   store.MSet(items, results);
//
// Not thread-safe: one thread at a time. The store must outlive it. Any number may be at work.
class RoomReservation {
 public:
  // Up to so many bytes the write makes room by itself in well under a millisecond.
  static constexpr size_t kWorthwhileBytes = size_t{32} << 10;

  enum class Progress : uint8_t {
    kMore,   // call Step() again
    kReady,  // the room is there, or everything was done that a write would do for it
    kFull,   // there is no room, and nothing may or can be evicted for it: the write would fail
  };

  // For a write of about so many bytes.
  RoomReservation(Store* store, size_t bytes);
  // For one value of at least kWorthwhileBytes, for that key; both must stay until Step() returns
  // something else than kMore.
  RoomReservation(Store* store, std::string_view key, std::string_view value);
  // The same for a key that has no value, or one that is not worth counting.
  RoomReservation(Store* store, std::string_view value) : RoomReservation(store, {}, value) {}
  ~RoomReservation();
  RoomReservation(const RoomReservation&) = delete;
  RoomReservation& operator=(const RoomReservation&) = delete;

  // About how much more memory these writes would take, one after the other, as the store is now:
  // nothing for one whose condition does not hold, and less where a large value is replaced.
  static size_t BytesFor(Store* store, std::span<const SetItem> items);

  Progress Step();

  // Gives back what is reserved.
  void GiveBack();

 private:
  friend class Store;

  Progress MakeRoom();
  // What has to be reserved, given what is to be replaced.
  size_t GoalBytes() const;
  // The block that is ready; null if none is.
  BlockRef TakeBlock();
  ReservedBytes& room() { return *room_; }

  StoreState& state_;
  const size_t bytes_;
  const std::unique_ptr<ReservedBytes> room_;
  const std::unique_ptr<Evictor> evictor_;
  Progress progress_ = Progress::kMore;  // of making room
  const std::string_view key_;
  const std::string_view value_;
  size_t copied_bytes_ = 0;
  BlockRef block_;
};

}  // namespace ferrite
