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

// An entry locked for writing, for the length of one operation.
class EntryWriter {
 public:
  EntryWriter(StoreState* state, const StoreState::Place& place) : state_(*state), place_(place) {}

  // Locks the entry if its key is there.
  bool Find() { return place_.shard->map().find(accessor_, place_.key) && NoteExpired(); }

  // Locks the entry, made anew with this many bytes if its key is not there. False: there is no
  // memory for it.
  bool FindOrCreate(size_t slot_bytes) {
    if (Find()) return true;
    place_.key.size_class = SizeClassOf(slot_bytes);
    if (!state_.PrepareSlot(place_.shard, place_.key.size_class)) return false;
    place_.key.size_class = Page::Of(prepared_slot)->size_class;
    created_ = place_.shard->map().insert(accessor_, place_.key);
    if (prepared_slot != nullptr) place_.shard->ReturnSlot(std::exchange(prepared_slot, nullptr));
    if (created_) place_.shard->Link(&entry());
    return NoteExpired();
  }

  // Whether the key is there for the user: neither made by this operation nor expired.
  bool present() const { return !accessor_.empty() && !created_ && !expired_; }
  Entry& entry() { return accessor_->second; }
  uint64_t present_version() { return present() ? entry().version() : 0; }

  // Gives the entry `value`, or `block` if that is set. False: it outgrows its slot, and there is
  // no memory for a block.
  bool SetValue(std::string_view value, BlockRef block) {
    MemoryBudget& budget = state_.context.budget;
    if (block == nullptr && value.size() > entry().inline_capacity()) {
      if (!state_.context.evict && !budget.Allows(ValueBlock::MemoryBytes(value.size())))
        return false;
      block.reset(ValueBlock::Create(value));
    }
    if (entry().HasBlock()) {
      budget.block_bytes.fetch_sub(ValueBlock::MemoryBytes(entry().value().size()),
                                   std::memory_order_relaxed);
    }
    if (block != nullptr) {
      budget.block_bytes.fetch_add(ValueBlock::MemoryBytes(block->bytes().size()),
                                   std::memory_order_relaxed);
      old_block_.reset(entry().SetBlock(block.release()));
    } else {
      old_block_.reset(entry().SetInline(value));
    }
    return true;
  }

  // Sets the expiry and a new version, and counts the use.
  void Finish(const Expiry& expiry) {
    const int64_t kept_ms = present() ? entry().expires_at_ms() : 0;
    const int64_t at_ms = state_.ExpiresAtMs(expiry, kept_ms);
    if (at_ms != entry().expires_at_ms()) Shard::SetExpiry(&entry(), at_ms);
    entry().set_version(place_.shard->NextVersion(entry().version()));
    if (!created_) entry().key().CountUse();
    if (expired_) place_.shard->CountExpiredOnAccess();
    expired_ = false;
  }

  // Deletes the entry.
  void Erase() {
    if (expired_) place_.shard->CountExpiredOnAccess();
    place_.shard->Erase(accessor_);
  }

  // Takes back an entry that FindOrCreate made and that was not written.
  void Abandon() {
    if (created_) place_.shard->Erase(accessor_);
  }

 private:
  bool NoteExpired() {
    expired_ = !created_ && state_.Expired(entry());
    return true;
  }

  StoreState& state_;
  StoreState::Place place_;
  BlockRef old_block_;  // before the accessor: let go only after the lock
  Shard::Accessor accessor_;
  bool created_ = false;
  bool expired_ = false;
};

SetResult Store::Set(std::string_view key, std::string_view value, const SetOptions& options) {
  const StoreState::Place place = state_->Locate(key);
  SetResult result;
  if (state_->context.evict) state_->MakeRoom(place.shard, 0);
  BlockRef block;
  if (!Entry::FitsInline(key.size(), value.size())) {
    if (!state_->MakeRoom(place.shard, ValueBlock::MemoryBytes(value.size()))) {
      result.outcome = SetOutcome::kMemoryFull;
      return result;
    }
    block.reset(ValueBlock::Create(value));
  }

  EntryWriter writer(state_.get(), place);
  const bool must_be_there =
      options.presence == Presence::kPresent || options.if_version.has_value();
  const size_t slot_bytes = Entry::SlotBytesFor(key.size(), block != nullptr ? 0 : value.size());
  if (must_be_there ? (writer.Find(), false) : !writer.FindOrCreate(slot_bytes)) {
    result.outcome = SetOutcome::kMemoryFull;
    return result;
  }
  const bool present = writer.present();
  const uint64_t present_version = writer.present_version();
  if (options.return_previous && present) state_->ReadLocked(writer.entry(), {}, &result.previous);
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
  writer.Finish(options.expiry);
  result.version = writer.entry().version();
  return result;
}

IncrResult Store::Incr(std::string_view key, const IncrOptions& options) {
  const StoreState::Place place = state_->Locate(key);
  IncrResult result;
  if (state_->context.evict) state_->MakeRoom(place.shard, 0);
  EntryWriter writer(state_.get(), place);
  if (!writer.FindOrCreate(Entry::SlotBytesFor(key.size(), kMaxCounterBytes))) {
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
  writer.Finish(present && options.expiry_only_if_created ? Expiry::Keep() : options.expiry);
  result.value = static_cast<int64_t>(sum);
  result.version = writer.entry().version();
  result.ttl_ms = state_->TtlMs(writer.entry());
  result.created = !present;
  return result;
}

DeleteResult Store::Delete(std::string_view key, std::optional<uint64_t> if_version) {
  EntryWriter writer(state_.get(), state_->Locate(key));
  DeleteResult result;
  if (!writer.Find()) return result;
  result.version = writer.present_version();
  result.deleted = writer.present() && (!if_version.has_value() || if_version == result.version);
  if (result.deleted || !writer.present()) writer.Erase();
  return result;
}

TouchResult Store::Touch(std::string_view key, std::optional<Expiry> expiry) {
  EntryWriter writer(state_.get(), state_->Locate(key));
  TouchResult result;
  writer.Find();
  if (!writer.present()) return result;
  if (expiry.has_value()) Shard::SetExpiry(&writer.entry(), state_->ExpiresAtMs(*expiry, 0));
  writer.entry().key().CountUse();
  result.found = !state_->Expired(writer.entry());
  result.version = writer.entry().version();
  result.ttl_ms = state_->TtlMs(writer.entry());
  return result;
}

}  // namespace ferrite
