#include "store/eviction/eviction_queue.h"

#include <algorithm>

#include "base/check.h"

namespace ferrite {
namespace {

// The least and the most that the small queue may hold.
constexpr double kMinSmallShare = 0.01;
constexpr double kMaxSmallShare = 0.6;
// From this share on what was counted before is doubted, and from the next the shard is a clock.
constexpr double kDoubtShare = 0.2;
constexpr double kClockShare = 0.5;
// How fast the share follows what places earn, and what a use of an old entry weighs beside one of
// a newcomer: old entries have proved that they last.
constexpr double kGain = 0.5;
constexpr double kOldWeight = 0.6;
// A key with at least so many uses is known.
constexpr int kKnownUses = 6;
// The number of entries that join the main queue in one choice is averaged over about so many.
constexpr double kChoicesAveraged = 64;
// The most of the main queue that may be behind the probe, and how far one choice moves it.
constexpr double kMaxBehindProbe = 0.9;
constexpr int kMaxProbeSteps = 8;
// How many entries of the main queue, and of the small one of a clock, one choice looks at in
// search of one that was not used.
constexpr int kMainLooks = 3;
constexpr int kClockLooks = 2;
// How many entries join the main queue in one choice at most, unless it has to be filled.
constexpr size_t kMostJoins = kMainLooks;
// How many entries one choice moves on when the main queue is to grow.
constexpr int kMaxMoves = 8;
// How many used entries in a row one choice moves on in search of one that was not used, where
// there is no other candidate to compare them with. It takes away their uses, so that the next
// choices find them unused: this is a bound on the pause and not on the work.
constexpr int kMaxUsedInARow = 256;
// The most entries that a sketch has room for when it begins.
constexpr size_t kFirstSketchCapacity = 4096;
// What a count is divided by if the entry was not used since its queue was last walked.
constexpr int kIdleDiscount = 4;
// By how many entries the small queue may miss its size before that is mended: choices do not take
// turns with new entries, where sizes differ. A large value takes the memory of many small entries,
// and many small ones then find free slots. To mend at once what the next few writes would level is
// to have no contest: newcomers move on, and old entries are evicted, untried.
constexpr size_t kMinSlack = 8;
constexpr size_t kSlackOfTarget = 8;
constexpr size_t kSlackOfAll = 32;

}  // namespace

void EvictionQueue::Remove(Entry* entry) {
  if (place(*entry) == QueuePlace::kSmall || place(*entry) == QueuePlace::kMain) Unlink(entry);
  entry->place_ = static_cast<uint32_t>(QueuePlace::kNone);
}

Entry* EvictionQueue::DetachVictim() {
  if (size() == 0) return nullptr;
  FitSketch();
  const size_t target = SmallTarget();
  const size_t slack = kMinSlack + target / kSlackOfTarget + size() / kSlackOfAll;
  if (small_.size > target + slack) filling_main_ = true;
  if (filling_main_) FillMain(target);
  if (filling_main_ || main_.size == 0) return Detach(FindUnusedNewcomer());
  if (small_.size + slack < target || small_.size == 0)
    return Detach(FindMainVictim(kMaxUsedInARow).entry);

  const Candidate newcomer = FindNewcomer();
  const Candidate victim = FindMainVictim(kMainLooks);
  if (IsClock() || StaysInsteadOf(newcomer, victim)) {
    Move(QueuePlace::kMain, newcomer.entry);
    return Detach(victim.entry);
  }
  Move(QueuePlace::kMain, victim.entry);
  return Detach(newcomer.entry);
}

bool EvictionQueue::StaysInsteadOf(const Candidate& newcomer, const Candidate& victim) const {
  if (victim.uses == 0 && (newcomer.uses > 0 || small_share_ > kDoubtShare)) return true;
  const auto count = [this](const Candidate& candidate) {
    return static_cast<size_t>(sketch_.Count(candidate.entry->key().hash()));
  };
  return count(newcomer) * victim.entry->memory_bytes() >
         count(victim) * newcomer.entry->memory_bytes();
}

void EvictionQueue::Restore(Entry* entry) {
  FERRITE_CHECK(place(*entry) == QueuePlace::kDetached);
  entry->is_old_ = true;
  Append(QueuePlace::kMain, entry);
}

int EvictionQueue::Worth(const Entry& entry) const {
  const int count = sketch_.Count(entry.key().hash());
  return entry.key().uses() > 0 ? count + 1 : count / kIdleDiscount;
}

void EvictionQueue::CountUses(const Entry& entry) {
  sketch_.Add(entry.key().hash(), 1 + entry.key().uses());
}

Entry* EvictionQueue::head() const {
  const SlotRef ref = small_.size > 0 ? small_.head : main_.head;
  return ref == kNoSlot ? nullptr : At(ref);
}

size_t EvictionQueue::SmallTarget() const {
  return std::max<size_t>(1, static_cast<size_t>(small_share_ * static_cast<double>(size())));
}

// A shard that never evicts pays for no sketch. That of a large shard begins small and grows to its
// size without a pause, long before as many entries have passed.
void EvictionQueue::FitSketch() {
  if (sketch_.capacity() == 0) {
    first_goal_ = size();
    size_t capacity = first_goal_;
    while (capacity > kFirstSketchCapacity) capacity /= 2;
    sketch_.Reset(capacity);
  } else if (size() > 2 * sketch_.capacity() || first_goal_ >= 2 * sketch_.capacity()) {
    sketch_.Grow();
  }
}

// Until the first eviction all entries are in the small queue.
void EvictionQueue::FillMain(size_t target) {
  for (int i = 0; i < kMaxMoves && small_.size > target; ++i) {
    Move(QueuePlace::kMain, TakeNewcomer().entry);
  }
  filling_main_ = small_.size > target;
}

// While the main queue is empty or fills there is nobody to compare a newcomer with.
Entry* EvictionQueue::FindUnusedNewcomer() {
  for (int look = 1;; ++look) {
    const Candidate newcomer = TakeNewcomer();
    if (newcomer.uses == 0 || look == kMaxUsedInARow || small_.size == 1) return newcomer.entry;
    Move(QueuePlace::kMain, newcomer.entry);
  }
}

bool EvictionQueue::IsClock() const { return small_share_ > kClockShare; }

// The share follows how often newcomers and old entries are used, each, in as much time. To wait
// for the next time that old ones come to the head of the main queue would be to learn of a shift a
// round late. One that goes round in the small queue of a clock is neither: counted as a newcomer,
// it would keep its shard a clock for ever.
void EvictionQueue::FollowEarnings(const Candidate& newcomer) {
  const auto joins = static_cast<double>(std::min(joins_, kMostJoins));
  joins_per_choice_ += (joins - joins_per_choice_) / kChoicesAveraged;
  joins_ = 0;
  if (newcomer.entry->is_old_) return;
  const auto stay = static_cast<double>(small_.size);  // in choices
  MoveProbe(std::min(stay * joins_per_choice_, kMaxBehindProbe * static_cast<double>(main_.size)));
  const double probe_stay = std::max(1.0, behind_probe_ / joins_per_choice_);
  double change = -kOldWeight * At(probe_)->key().uses() / probe_stay;
  if (WasKnown(newcomer)) {
    change -= kOldWeight * newcomer.uses / stay;
  } else {
    change += newcomer.uses / stay;
  }
  small_share_ = std::clamp(small_share_ + kGain * change, kMinSmallShare, kMaxSmallShare);
}

bool EvictionQueue::WasKnown(const Candidate& newcomer) const {
  return sketch_.Count(newcomer.entry->key().hash()) - newcomer.uses > kKnownUses;
}

void EvictionQueue::MoveProbe(double behind) {
  int steps = kMaxProbeSteps;
  for (; steps > 0 && behind_probe_ > behind && At(probe_)->next_ != kNoSlot; --steps) {
    probe_ = At(probe_)->next_;
    --behind_probe_;
  }
  for (; steps > 0 && behind_probe_ + 1 < behind && At(probe_)->previous_ != kNoSlot; --steps) {
    probe_ = At(probe_)->previous_;
    ++behind_probe_;
  }
  // At the ends it is known.
  if (At(probe_)->next_ == kNoSlot) behind_probe_ = 0;
  if (At(probe_)->previous_ == kNoSlot) behind_probe_ = static_cast<double>(main_.size - 1);
}

EvictionQueue::Candidate EvictionQueue::TakeNewcomer() {
  Entry* entry = At(small_.head);
  const uint8_t uses = entry->key().uses();
  CountUses(*entry);
  entry->key().set_uses(0);
  return {entry, uses};
}

EvictionQueue::Candidate EvictionQueue::FindNewcomer() {
  for (int look = 1;; ++look) {
    const Candidate newcomer = TakeNewcomer();
    if (look == 1) FollowEarnings(newcomer);
    if (!IsClock() || newcomer.uses == 0 || look == kClockLooks) return newcomer;
    Move(QueuePlace::kSmall, newcomer.entry);
  }
}

EvictionQueue::Candidate EvictionQueue::FindMainVictim(int looks) {
  for (int look = 1;; ++look) {
    Entry* entry = At(main_.head);
    const StoredKey& key = entry->key();
    const uint8_t uses = key.uses();
    if (uses == 0) return {entry, uses};
    sketch_.Add(key.hash(), uses);
    key.set_uses(0);
    if (look == looks) return {entry, uses};
    Move(QueuePlace::kMain, entry);
  }
}

void EvictionQueue::Move(QueuePlace place, Entry* entry) {
  Unlink(entry);
  entry->is_old_ = true;
  Append(place, entry);
}

Entry* EvictionQueue::Detach(Entry* entry) {
  Unlink(entry);
  entry->place_ = static_cast<uint32_t>(QueuePlace::kDetached);
  return entry;
}

void EvictionQueue::Append(QueuePlace place, Entry* entry) {
  Queue* queue = QueueOf(place);
  const SlotRef ref = slots_->RefOf(SlotOfEntry(*entry));
  entry->place_ = static_cast<uint32_t>(place);
  entry->previous_ = queue->tail;
  entry->next_ = kNoSlot;
  if (queue->tail != kNoSlot) {
    At(queue->tail)->next_ = ref;
  } else {
    queue->head = ref;
  }
  queue->tail = ref;
  ++queue->size;
  if (place != QueuePlace::kMain) return;
  ++joins_;
  if (probe_ == kNoSlot) {
    probe_ = ref;
    behind_probe_ = 0;
  } else {
    ++behind_probe_;
  }
}

void EvictionQueue::ForgetBehindProbe(const Entry* entry) {
  if (entry == At(probe_)) {
    probe_ = entry->next_ != kNoSlot ? entry->next_ : entry->previous_;
    if (entry->next_ != kNoSlot) --behind_probe_;
  } else if (entry->previous_ != kNoSlot) {
    behind_probe_ -= behind_probe_ / static_cast<double>(main_.size);
  }
}

void EvictionQueue::Unlink(Entry* entry) {
  Queue* queue = QueueOf(place(*entry));
  if (queue == &main_) ForgetBehindProbe(entry);
  if (entry->previous_ != kNoSlot) {
    At(entry->previous_)->next_ = entry->next_;
  } else {
    queue->head = entry->next_;
  }
  if (entry->next_ != kNoSlot) {
    At(entry->next_)->previous_ = entry->previous_;
  } else {
    queue->tail = entry->previous_;
  }
  --queue->size;
}

}  // namespace ferrite
