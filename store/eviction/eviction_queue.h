#pragma once

// Which entry of a shard goes first when memory is short.
//
// Two queues, as in S3-FIFO (Yang et al., SOSP 2023): new entries pass through a small one, and
// those that prove themselves live in the main one. By itself that loses nearly everything in a
// loop larger than the cache, and more than LRU where the keys in use shift. So two things differ.
//
// The contest. At the head of the small queue a newcomer meets the next victim of the main queue,
// and one of the two goes: the newcomer stays if it was used more often of late than the other
// (TinyLFU), each measured by the memory that it takes, or if it was used while it stood in the
// small queue and the other was not used for a whole round of the main one. A sketch counts uses of
// keys that are gone as well. So a scan or a loop passes through the small queue and leaves the
// main one alone, and a key that is used now and then but never twice in a row wins its place all
// the same.
//
// The size of the small queue depends on what places in it earn. Each newcomer that has come to the
// head is compared with an old entry: how often was each used in as much time? Where old entries
// are used more, the small queue shrinks to a hundredth of all; where newcomers are, because the
// keys in use shift, it grows. A fixed share is bad at one or the other: in simulation a tenth
// misses 65 % where a hot set shifts and LRU misses 29 %, and nine tenths miss 93 % of a loop of
// which 39 % suffice. Once the small queue is large, what was counted before the shift would only
// keep new keys out:
//
//   - from a fifth of all on, a newcomer also stays instead of an entry that was not used for a
//     whole round, however often that was used before;
//   - from half of all on, the shard is a clock: a used entry at the head of the small queue goes
//     round once more, one at most for each victim, and the others pass on to the main queue
//     without a contest, where they have their last chance.
//
// A shift has to be noticed soon: the old entry of the comparison is the one that was at the head
// of the main queue as long ago as the newcomer has been here, not a round later, when uses from
// before the shift would still speak for it. (A hot set that shifts now and then missed 1.40 times
// as much as LRU that way, and misses 1.17 times as much this way.) And a shard has to find its way
// back: entries that go round again do not count as new, or it would stay a clock for ever and miss
// a quarter more of zipf 0.9; nor do newcomers that were used often before, which should not have
// been evicted, or scans, which evict the popular keys of a clock, would keep the clock going.
//
// Readers only bump a counter in the entry (StoredKey::CountUse), without any lock. The choice of a
// victim looks at a bounded number of entries.

#include <cstddef>
#include <cstdint>

#include "store/entries/entry.h"
#include "store/eviction/frequency_sketch.h"
#include "store/memory/slot_allocator.h"

namespace ferrite {

// Not thread-safe: guarded by the shard's mutex.
class EvictionQueue {
 public:
  // `slots` resolves references and must outlive the queue.
  explicit EvictionQueue(const SlotAllocator* slots) : slots_(slots) {}

  // Adds a new entry.
  void Add(Entry* entry) { Append(QueuePlace::kSmall, entry); }
  // Forgets an entry, wherever it stands.
  void Remove(Entry* entry);

  // Chooses the next victim and detaches it, so that no one else is given it. Null if there is
  // none.
  Entry* DetachVictim();
  // Puts a detached entry back, at the far end of the main queue.
  void Restore(Entry* entry);

  // What is lost with the entry: how often it was used of late, less if that was a while ago.
  int Worth(const Entry& entry) const;
  // Tells that an entry is evicted that DetachVictim did not choose, so that its uses count if it
  // comes back.
  void CountUses(const Entry& entry);

  // An entry that is soon to go, without any change. Null if there is none.
  Entry* head() const;

  static QueuePlace place(const Entry& entry) { return static_cast<QueuePlace>(entry.place_); }

  // What the policy itself takes: nothing until the first victim is chosen.
  size_t memory_bytes() const { return sketch_.memory_bytes(); }

 private:
  struct Queue {
    SlotRef head = kNoSlot;
    SlotRef tail = kNoSlot;
    size_t size = 0;
  };
  // An entry at the head of its queue, and its uses since it was last there, which are now counted
  // in the sketch.
  struct Candidate {
    Entry* entry;
    uint8_t uses;
  };

  Entry* At(SlotRef ref) const { return &EntryInSlot(slots_->SlotOf(ref)); }
  Queue* QueueOf(QueuePlace place) { return place == QueuePlace::kSmall ? &small_ : &main_; }
  void Append(QueuePlace place, Entry* entry);
  void Unlink(Entry* entry);
  void Move(QueuePlace place, Entry* entry);

  size_t size() const { return small_.size + main_.size; }
  size_t SmallTarget() const;
  bool IsClock() const;
  void FitSketch();
  void FillMain(size_t target);
  Entry* FindUnusedNewcomer();
  void FollowEarnings(const Candidate& newcomer);
  bool WasKnown(const Candidate& newcomer) const;
  void MoveProbe(double behind);
  void ForgetBehindProbe(const Entry* entry);  // it leaves the main queue
  Candidate TakeNewcomer();
  Candidate FindNewcomer();
  Candidate FindMainVictim(int looks);  // looks at so many entries at most
  bool StaysInsteadOf(const Candidate& newcomer, const Candidate& victim) const;
  Entry* Detach(Entry* entry);

  const SlotAllocator* const slots_;
  Queue small_;
  Queue main_;
  double small_share_ = 0.1;  // of all entries, that the small queue is to hold
  // The old entry that newcomers are compared with, and about how many of the main queue are behind
  // it: where an entry was that is deleted, nobody knows.
  SlotRef probe_ = kNoSlot;
  double behind_probe_ = 0;
  // How many entries have joined the main queue since the last choice, and on average between two.
  size_t joins_ = 0;
  double joins_per_choice_ = 1;
  // The small queue has become far too large, and is being brought down to its size.
  bool filling_main_ = false;
  FrequencySketch sketch_;
  size_t first_goal_ = 0;  // how many entries the sketch is to have room for at first
};

}  // namespace ferrite
