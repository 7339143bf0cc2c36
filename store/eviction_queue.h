#pragma once

// Which entry of a shard goes first when memory is short: S3-FIFO (Yang et al., SOSP 2023).
//
// A new entry joins a small queue, a tenth of all. At its head it goes on to the main queue if it
// was used more than once meanwhile, else it is the victim; so a scan that touches everything once
// passes through the small queue and leaves the main one alone. At the head of the main queue an
// entry that was used goes round again, one use less. A victim's hash is remembered in a ghost
// list: if its key is written again soon, the entry joins the main queue at once. Readers only bump
// a counter in the entry (StoredKey::CountUse), without any lock.

#include <cstddef>
#include <cstdint>

#include "store/entry.h"
#include "store/ghost_list.h"
#include "store/slot_allocator.h"

namespace ferrite {

// Not thread-safe: guarded by the shard's mutex.
class EvictionQueue {
 public:
  // `slots` resolves references and must outlive the queue.
  explicit EvictionQueue(const SlotAllocator* slots) : slots_(slots) {}

  // Adds a new entry.
  void Add(Entry* entry);
  // Forgets an entry, wherever it stands.
  void Remove(Entry* entry);

  // Chooses the next victim and detaches it, so that no one else is given it. Null if there is
  // none.
  Entry* DetachVictim();
  // Puts a detached entry back, at the far end of the main queue.
  void Restore(Entry* entry);
  // Remembers a victim that is about to be evicted.
  void AddGhost(const Entry& victim);

  // The entry that would be looked at next, without any change. Null if there is none.
  Entry* head() const;

  static QueuePlace place(const Entry& entry) { return static_cast<QueuePlace>(entry.place_); }

  size_t ghost_memory_bytes() const { return ghosts_.memory_bytes(); }

 private:
  struct Queue {
    SlotRef head = kNoSlot;
    SlotRef tail = kNoSlot;
    size_t size = 0;
  };

  Entry* At(SlotRef ref) const { return &EntryInSlot(slots_->SlotOf(ref)); }
  Queue* QueueOf(QueuePlace place) { return place == QueuePlace::kSmall ? &small_ : &main_; }
  void Append(QueuePlace place, Entry* entry);
  void Unlink(Entry* entry);
  bool SmallIsDue() const;

  const SlotAllocator* const slots_;
  Queue small_;
  Queue main_;
  GhostList ghosts_;
};

}  // namespace ferrite
