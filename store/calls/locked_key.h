#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "store/calls/evictor.h"
#include "store/calls/store_state.h"

namespace ferrite {

// A key that is locked for one write, and its entry. Not thread-safe.
class LockedKey {
 public:
  LockedKey(StoreState* state, const LocatedKey& located)
      : state_(*state),
        shard_(*located.shard),
        key_(located.key),
        lock_(shard_.LockOf(key_.hash)),
        entry_(shard_.Find(key_)) {
    expired_ = entry_ != nullptr && shard_.HasExpired(entry_);
  }

  // Makes an entry with this many bytes if there is none. False: there is no memory for it. The key
  // may be unlocked for a while, so that others can be evicted.
  bool Create(size_t slot_bytes) {
    if (entry_ != nullptr) return true;
    // The limit may be lower than it was, and free slots are no room then.
    if (!state_.context.evict && state_.context.budget.IsExceeded()) return false;
    const uint8_t size_class = SizeClassOf(slot_bytes);
    entry_ = shard_.Insert(key_, size_class, nullptr);
    created_ = entry_ != nullptr;
    return created_ || CreateInNewSlot(size_class);
  }

  // Whether the key is there for users: neither made by this operation nor expired.
  bool present() const { return entry_ != nullptr && !created_ && !expired_; }
  Entry& entry() { return *entry_; }
  uint64_t present_version() { return present() ? entry_->version() : 0; }

  // Gives the entry `value`, or `block` if that is set. False: it outgrows its slot, and there is
  // no memory for a block.
  bool SetValue(std::string_view value, BlockRef block) {
    if (block == nullptr && !entry_->HasBlock() && value.size() <= entry_->inline_capacity())
        [[likely]] {
      entry_->SetInline(value);
      return true;
    }
    MemoryBudget& budget = state_.context.budget;
    if (block == nullptr && value.size() > entry_->inline_capacity()) {
      if (!state_.context.evict && !budget.Allows(ValueBlock::NewMemoryBytes(value.size())))
        return false;
      block.reset(ValueBlock::Create(value));
    }
    if (entry_->HasBlock()) {
      budget.block_bytes.fetch_sub(ValueBlock::MemoryBytes(entry_->value().size()),
                                   std::memory_order_relaxed);
    }
    if (block != nullptr) {
      budget.block_bytes.fetch_add(ValueBlock::MemoryBytes(block->bytes().size()),
                                   std::memory_order_relaxed);
      remains_.block.reset(entry_->SetBlock(block.release()));
    } else {
      remains_.block.reset(entry_->SetInline(value));
    }
    return true;
  }

  // Sets the expiry and a new version, counts the use, and tells the listener.
  void Finish(const Expiry& expiry, EventKind kind) {
    if (expired_) [[unlikely]] {
      shard_.CountExpiredOnAccess();
      shard_.Tell(EventKind::kExpire, *entry_);
    }
    const int64_t before_ms = entry_->expires_at_ms();
    const int64_t at_ms = state_.ExpiresAtMs(expiry, present() ? before_ms : 0);
    if (at_ms != before_ms) shard_.SetExpiry(entry_, at_ms);
    entry_->set_version(shard_.NextVersion(entry_->version()));
    if (!created_) entry_->key().CountUse();
    expired_ = false;
    shard_.Tell(kind, *entry_);
  }

  // Takes the entry out if it is there, as deleted or, if it had expired, as expired.
  void Erase() {
    if (entry_ == nullptr) return;
    if (expired_) shard_.CountExpiredOnAccess();
    shard_.Erase(entry_, expired_ ? EventKind::kExpire : EventKind::kDelete, &remains_);
  }

 private:
  bool CreateInNewSlot(uint8_t size_class) {
    lock_.release();
    void* const slot = Evictor(&state_, &shard_).TakeSlot(size_class);
    lock_.acquire();
    entry_ = shard_.Find(key_);
    created_ = slot != nullptr && entry_ == nullptr;
    if (created_) {
      entry_ = shard_.Insert(key_, size_class, slot);
    } else {
      if (slot != nullptr) shard_.ReturnSlot(slot, &remains_);
      expired_ = entry_ != nullptr && shard_.HasExpired(entry_);
    }
    return entry_ != nullptr;
  }

  StoreState& state_;
  Shard& shard_;
  const LookupKey key_;
  Remains remains_;  // before the lock
  SpinMutex::scoped_lock lock_;
  Entry* entry_;
  bool created_ = false;
  bool expired_ = false;
};

}  // namespace ferrite
