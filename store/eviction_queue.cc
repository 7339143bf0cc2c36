#include "store/eviction_queue.h"

#include "store/check.h"

namespace ferrite {
namespace {

// The share of entries that the small queue may hold before it yields the victims.
constexpr size_t kSmallShare = 10;
// Used this often within the small queue, an entry goes on to the main one.
constexpr uint8_t kUsesToStay = 2;
// How many entries one choice may look at. Beyond it the next one in line goes, used or not: a
// bound on the pause.
constexpr int kMaxSteps = 256;

}  // namespace

void EvictionQueue::Add(Entry* entry) {
  const bool returned = ghosts_.Take(entry->key().hash());
  Append(returned ? QueuePlace::kMain : QueuePlace::kSmall, entry);
}

void EvictionQueue::Remove(Entry* entry) {
  if (place(*entry) == QueuePlace::kSmall || place(*entry) == QueuePlace::kMain) Unlink(entry);
  entry->place_ = static_cast<uint32_t>(QueuePlace::kNone);
}

Entry* EvictionQueue::DetachVictim() {
  for (int step = 0;; ++step) {
    Entry* entry = head();
    if (entry == nullptr) return nullptr;
    const StoredKey& key = entry->key();
    const bool from_small = place(*entry) == QueuePlace::kSmall;
    Unlink(entry);
    if (step < kMaxSteps && from_small && key.uses() >= kUsesToStay) {
      key.set_uses(0);
      Append(QueuePlace::kMain, entry);
    } else if (step < kMaxSteps && !from_small && key.uses() > 0) {
      key.set_uses(key.uses() - 1);
      Append(QueuePlace::kMain, entry);
    } else {
      entry->place_ = static_cast<uint32_t>(QueuePlace::kDetached);
      return entry;
    }
  }
}

void EvictionQueue::Restore(Entry* entry) {
  FERRITE_CHECK(place(*entry) == QueuePlace::kDetached);
  Append(QueuePlace::kMain, entry);
}

void EvictionQueue::AddGhost(const Entry& victim) {
  // As many ghosts as entries, made when the first entry is evicted; made anew when the shard has
  // outgrown them.
  const size_t entries = small_.size + main_.size;
  if (entries > 2 * ghosts_.capacity()) ghosts_.Reset(entries);
  ghosts_.Add(victim.key().hash());
}

Entry* EvictionQueue::head() const {
  const SlotRef ref = SmallIsDue() ? small_.head : main_.head;
  return ref == kNoSlot ? nullptr : At(ref);
}

bool EvictionQueue::SmallIsDue() const {
  return small_.size > 0 &&
         (main_.size == 0 || small_.size * kSmallShare >= small_.size + main_.size);
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
}

void EvictionQueue::Unlink(Entry* entry) {
  Queue* queue = QueueOf(place(*entry));
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
