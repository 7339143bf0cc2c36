// The calls of Store that write.

#include <utility>

#include "store/calls/entry_writer.h"
#include "store/calls/store_state.h"
#include "store/store.h"

namespace ferrite {

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

uint64_t Store::Overwrite(std::string_view key, std::string_view value) {
  const StoreState::Place place = state_->Locate(key);
  return state_->OverwriteAt(place, state_->Foresee(place), value);
}

SetResult Store::SetAnyhow(std::string_view key, std::string_view value,
                           const SetOptions& options) {
  return state_->SetAnyhow(state_->Locate(key), value, options);
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
