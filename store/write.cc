// The calls of Store that write.

#include <charconv>
#include <memory>
#include <utility>

#include "store/store.h"
#include "store/store_state.h"

namespace ferrite {
namespace {

// The longest decimal int64, sign included.
constexpr size_t kMaxCounterBytes = 20;

struct BlockUnref {
  void operator()(ValueBlock* block) const { block->Unref(); }
};
using BlockRef = std::unique_ptr<ValueBlock, BlockUnref>;

// The one spelling of each int64: no sign but '-', no leading zero, no space. So a counter reads
// back as it was written.
bool ParseCounter(std::string_view text, int64_t* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  char canonical[kMaxCounterBytes];
  const auto written = std::to_chars(canonical, canonical + sizeof(canonical), *value);
  return text == std::string_view(canonical, static_cast<size_t>(written.ptr - canonical));
}

}  // namespace

// A key locked for writing, and its entry, for the length of one operation.
class EntryWriter {
 public:
  EntryWriter(StoreState* state, const StoreState::Place& place)
      : state_(*state),
        shard_(*place.shard),
        key_(place.key),
        lock_(shard_.LockOf(key_.hash)),
        entry_(shard_.Find(key_)) {
    expired_ = entry_ != nullptr && state_.Expired(*entry_);
  }

  // Makes an entry with this many bytes if there is none. False: there is no memory for it. The key
  // may be unlocked for a while, so that others can be evicted.
  bool Create(size_t slot_bytes) {
    if (entry_ != nullptr) return true;
    const uint8_t size_class = SizeClassOf(slot_bytes);
    entry_ = shard_.Insert(key_, size_class, nullptr);
    created_ = entry_ != nullptr;
    return created_ || CreateInNewSlot(size_class);
  }

  // Whether the key is there for the user: neither made by this operation nor expired.
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
      old_block_.reset(entry_->SetBlock(block.release()));
    } else {
      old_block_.reset(entry_->SetInline(value));
    }
    return true;
  }

  // Sets the expiry and a new version, counts the use, and tells who listens.
  void Finish(const Expiry& expiry, EventKind kind) {
    if (expired_) [[unlikely]] {
      shard_.CountExpiredOnAccess();
      shard_.Tell(EventKind::kExpire, *entry_);
    }
    const int64_t before_ms = entry_->expires_at_ms();
    const int64_t at_ms = state_.ExpiresAtMs(expiry, present() ? before_ms : 0);
    if (at_ms != before_ms) Shard::SetExpiry(entry_, at_ms);
    entry_->set_version(shard_.NextVersion(entry_->version()));
    if (!created_) entry_->key().CountUse();
    expired_ = false;
    shard_.Tell(kind, *entry_);
  }

  // Takes the entry out, if it is there: deleted by whoever asked for it, or found expired.
  void Erase() {
    if (entry_ == nullptr) return;
    if (expired_) shard_.CountExpiredOnAccess();
    shard_.Erase(entry_, expired_ ? EventKind::kExpire : EventKind::kDelete);
  }

  // Takes back an entry that Create made and that was not written: nobody has seen it.
  void Abandon() {
    if (created_) shard_.Erase(entry_, EventKind::kDelete);
  }

 private:
  bool CreateInNewSlot(uint8_t size_class) {
    lock_.release();
    void* const slot = state_.TakeSlot(&shard_, size_class);
    lock_.acquire();
    entry_ = shard_.Find(key_);
    created_ = slot != nullptr && entry_ == nullptr;
    if (created_) {
      entry_ = shard_.Insert(key_, size_class, slot);
    } else {
      if (slot != nullptr) shard_.ReturnSlot(slot);
      expired_ = entry_ != nullptr && state_.Expired(*entry_);
    }
    return entry_ != nullptr;
  }

  StoreState& state_;
  Shard& shard_;
  const LookupKey key_;
  BlockRef old_block_;  // before the lock: let go only when that is gone
  SpinMutex::scoped_lock lock_;
  Entry* entry_;
  bool created_ = false;
  bool expired_ = false;
};

SetResult StoreState::SetAnyhow(const Place& place, std::string_view value,
                                const SetOptions& options) {
  SetResult result;
  if (context.evict && context.budget.IsExceeded()) TakeBackExcess(place.shard);
  BlockRef block;
  if (!Entry::FitsInline(place.key.bytes.size(), value.size())) {
    if (!MakeRoomForBlock(place.shard, value.size())) {
      result.outcome = SetOutcome::kMemoryFull;
      return result;
    }
    block.reset(ValueBlock::Create(value));
  }

  EntryWriter writer(this, place);
  const bool must_be_there =
      options.presence == Presence::kPresent || options.if_version.has_value();
  if (!must_be_there && !writer.Create(Entry::SlotBytesFor(place.key.bytes.size(),
                                                           block != nullptr ? 0 : value.size()))) {
    result.outcome = SetOutcome::kMemoryFull;
    return result;
  }
  const bool present = writer.present();
  const uint64_t present_version = writer.present_version();
  if (options.return_previous && present) ReadLocked(writer.entry(), {}, &result.previous);
  if ((must_be_there && !present) || (options.presence == Presence::kAbsent && present) ||
      (options.if_version.has_value() && options.if_version != present_version)) {
    result.outcome = SetOutcome::kConditionFailed;
    result.version = present_version;
    return result;
  }
  if (!writer.SetValue(value, std::move(block))) {
    result.outcome = SetOutcome::kMemoryFull;
    return result;
  }
  writer.Finish(options.expiry, EventKind::kSet);
  result.version = writer.entry().version();
  return result;
}

SetResult Store::Set(std::string_view key, std::string_view value, const SetOptions& options) {
  return state_->Set(state_->Locate(key), value, options);
}

IncrResult Store::Incr(std::string_view key, const IncrOptions& options) {
  const StoreState::Place place = state_->Locate(key);
  IncrResult result;
  if (state_->context.evict && state_->context.budget.IsExceeded()) {
    state_->TakeBackExcess(place.shard);
  }
  EntryWriter writer(state_.get(), place);
  if (!writer.Create(Entry::SlotBytesFor(key.size(), kMaxCounterBytes))) {
    result.outcome = IncrOutcome::kMemoryFull;
    return result;
  }
  const bool present = writer.present();
  result.version = writer.present_version();
  result.value = options.initial;
  if (present && !ParseCounter(writer.entry().value(), &result.value)) {
    result.outcome = IncrOutcome::kNotACounter;
    return result;
  }
  __int128 sum = static_cast<__int128>(result.value) + options.delta;
  if (sum < options.min || sum > options.max) {
    if (!options.saturate) {
      result.outcome = IncrOutcome::kOutOfRange;
      writer.Abandon();
      return result;
    }
    sum = sum < options.min ? options.min : options.max;
    result.saturated = true;
  }
  char text[kMaxCounterBytes];
  const auto written = std::to_chars(text, text + sizeof(text), static_cast<int64_t>(sum));
  if (!writer.SetValue({text, static_cast<size_t>(written.ptr - text)}, nullptr)) {
    result.outcome = IncrOutcome::kMemoryFull;
    return result;
  }
  writer.Finish(present && options.expiry_only_if_created ? Expiry::Keep() : options.expiry,
                EventKind::kIncr);
  result.value = static_cast<int64_t>(sum);
  result.version = writer.entry().version();
  result.ttl_ms = state_->TtlMs(writer.entry());
  result.created = !present;
  return result;
}

DeleteResult StoreState::Delete(const Place& place, std::optional<uint64_t> if_version) {
  EntryWriter writer(this, place);
  DeleteResult result;
  result.version = writer.present_version();
  result.deleted = writer.present() && (!if_version.has_value() || if_version == result.version);
  if (result.deleted || !writer.present()) writer.Erase();
  return result;
}

DeleteResult Store::Delete(std::string_view key, std::optional<uint64_t> if_version) {
  return state_->Delete(state_->Locate(key), if_version);
}

TouchResult Store::Touch(std::string_view key, std::optional<Expiry> expiry) {
  EntryWriter writer(state_.get(), state_->Locate(key));
  TouchResult result;
  if (!writer.present()) return result;
  if (expiry.has_value()) Shard::SetExpiry(&writer.entry(), state_->ExpiresAtMs(*expiry, 0));
  writer.entry().key().CountUse();
  result.found = !state_->Expired(writer.entry());
  result.version = writer.entry().version();
  result.ttl_ms = state_->TtlMs(writer.entry());
  return result;
}

}  // namespace ferrite
