#include "store/calls/entry_writer.h"

#include <utility>

#include "store/calls/counter.h"
#include "store/calls/entry_reader.h"
#include "store/calls/evictor.h"
#include "store/calls/locked_key.h"

namespace ferrite {

namespace {

// Whether the condition keeps the write from happening; fills in what is answered then.
bool ConditionFails(const StoreState& state, const SetOptions& options, LockedKey* locked,
                    SetResult* result) {
  const bool present = locked->present();
  const uint64_t version = locked->present_version();
  if (options.return_previous && present) {
    EntryReader::CopyLocked(state, locked->entry(), {}, &result->previous);
  }
  if (options.AllowedBy(present, version)) return false;
  result->outcome = SetOutcome::kConditionFailed;
  result->version = version;
  return true;
}

}  // namespace

SetResult EntryWriter::Set(std::string_view value, const SetOptions& options) {
  if (options.HasCondition()) {
    // Before others are evicted for a write that does not happen, or the entry itself, which then
    // would not be there to refuse it.
    SetResult result;
    LockedKey locked(&state_, key_);
    if (ConditionFails(state_, options, &locked, &result)) return result;
  }
  Evictor evictor(&state_, key_.shard);
  evictor.TakeBackExcess();
  BlockRef block;
  if (!Entry::FitsInline(key_.key.bytes.size(), value.size())) {
    if (!evictor.MakeRoomForBlock(value.size(), key_)) return {.outcome = SetOutcome::kMemoryFull};
    block.reset(ValueBlock::Create(value));
  }
  return SetCounted(value, std::move(block), nullptr, options);
}

SetResult EntryWriter::SetBlock(BlockRef block, ReservedBytes* room, const SetOptions& options) {
  const std::string_view value = block->bytes();
  return SetCounted(value, std::move(block), room, options);
}

SetResult EntryWriter::SetCounted(std::string_view value, BlockRef block, ReservedBytes* room,
                                  const SetOptions& options) {
  SetResult result;
  LockedKey locked(&state_, key_);
  const bool must_be_there =
      options.presence == Presence::kPresent || options.if_version.has_value();
  if (!must_be_there && !locked.Create(Entry::SlotBytesFor(key_.key.bytes.size(),
                                                           block != nullptr ? 0 : value.size()))) {
    result.outcome = SetOutcome::kMemoryFull;
    return result;
  }
  if (ConditionFails(state_, options, &locked, &result)) return result;
  if (room != nullptr) room->GiveBack();
  if (!locked.SetValue(value, std::move(block))) {
    result.outcome = SetOutcome::kMemoryFull;
    return result;
  }
  locked.Finish(options.expiry, EventKind::kSet);
  result.version = locked.entry().version();
  return result;
}

DeleteResult EntryWriter::Delete(std::optional<uint64_t> if_version) {
  LockedKey locked(&state_, key_);
  DeleteResult result;
  result.version = locked.present_version();
  result.deleted = locked.present() && (!if_version.has_value() || if_version == result.version);
  if (result.deleted || !locked.present()) locked.Erase();
  return result;
}

TouchResult EntryWriter::Touch(std::optional<Expiry> expiry) {
  LockedKey locked(&state_, key_);
  TouchResult result;
  if (!locked.present()) return result;
  if (expiry.has_value()) {
    key_.shard->SetExpiry(&locked.entry(), state_.ExpiresAtMs(*expiry, 0));
  }
  locked.entry().key().CountUse();
  result.found = !key_.shard->HasExpired(&locked.entry());
  result.version = locked.entry().version();
  result.ttl_ms = state_.TtlMs(locked.entry());
  return result;
}

bool EntryWriter::TryIncrInPlace(const IncrOptions& options, IncrResult* result) {
  if (!options.expiry_only_if_created && options.expiry.IsSet()) return false;
  const TellsAfterwards tells_afterwards;  // before the lock
  SpinMutex::scoped_lock lock(key_.lock());
  Entry* const entry = UnlockedRead::Guess(key_.shard->places(), key_.key);
  if (entry == nullptr || !entry->IsOverwritable() ||
      !ParseCounter(entry->value(), &result->value)) {
    return false;
  }
  if (!StepCounter(options, result) || !entry->Overwrite(CounterText(result->value).view()))
    return false;
  if (state_.counts_uses()) entry->key().CountUse();
  result->version = entry->version();
  key_.shard->Tell(EventKind::kIncr, *entry);
  return true;
}

IncrResult EntryWriter::Incr(const IncrOptions& options) {
  const IncrResult result = IncrLocked(options);
  // After it, as a step that is refused evicts nobody.
  if (result.outcome == IncrOutcome::kDone) Evictor(&state_, key_.shard).TakeBackExcess();
  return result;
}

IncrResult EntryWriter::IncrLocked(const IncrOptions& options) {
  IncrResult result;
  LockedKey locked(&state_, key_);
  result.value = options.initial;
  // Before an entry is made, which may evict others: what fails is to change nothing.
  if (IncrResult first = result; !locked.present() && !StepCounter(options, &first)) {
    result.outcome = IncrOutcome::kOutOfRange;
    return result;
  }
  if (!locked.Create(Entry::SlotBytesFor(key_.key.bytes.size(), kMaxCounterBytes))) {
    result.outcome = IncrOutcome::kMemoryFull;
    return result;
  }
  const bool present = locked.present();
  result.version = locked.present_version();
  if (present && !ParseCounter(locked.entry().value(), &result.value)) {
    result.outcome = IncrOutcome::kNotACounter;
    return result;
  }
  const int64_t before = result.value;
  if (!StepCounter(options, &result)) {
    result.outcome = IncrOutcome::kOutOfRange;
    return result;
  }
  if (!locked.SetValue(CounterText(result.value).view(), nullptr)) {
    result.outcome = IncrOutcome::kMemoryFull;
    result.value = before;
    return result;
  }
  locked.Finish(present && options.expiry_only_if_created ? Expiry::Keep() : options.expiry,
                EventKind::kIncr);
  result.version = locked.entry().version();
  result.ttl_ms = state_.TtlMs(locked.entry());
  result.created = !present;
  return result;
}

}  // namespace ferrite
