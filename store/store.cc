#include "store/store.h"

#include "store/calls/store_state.h"

namespace ferrite {

Store::Store(const StoreOptions& options) : state_(std::make_unique<StoreState>(options)) {}

Store::~Store() = default;

size_t Store::shard_count() const { return state_->shards.size(); }

void StoreState::Read(const Place& place, const GetOptions& options, ReadResult* result) const {
  UnlockedRead read(place.shard->places());
  if (!read.Run(place.key, counts_uses, &result->value)) {
    return ReadWithLock(place, options, result);
  }
  result->found = true;
  result->version = read.version();
  result->ttl_ms.reset();
  result->not_modified = options.if_version_not == result->version;
  if (result->not_modified) result->value.Clear();
  if (read.expires() && !SetTtl(read.expires_at_ms(), result)) {
    ReadWithLock(place, options, result);
  }
}

void StoreState::ReadWithLock(const Place& place, const GetOptions& options,
                              ReadResult* result) const {
  result->Clear();
  SpinMutex::scoped_lock lock(place.shard->LockOf(place.key.hash));
  const Entry* entry = place.shard->Find(place.key);
  if (entry == nullptr || Expired(*entry)) return;
  entry->key().CountUse();
  ReadLocked(*entry, options, result);
}

void StoreState::ReadLocked(const Entry& entry, const GetOptions& options,
                            ReadResult* result) const {
  result->found = true;
  result->version = entry.version();
  result->ttl_ms = TtlMs(entry);
  result->not_modified = options.if_version_not == result->version;
  if (!result->not_modified) entry.CopyValueTo(&result->value);
}

// The new expiry and the read are one step.
void StoreState::ReadAndTouch(const Place& place, const GetOptions& options, ReadResult* result) {
  result->Clear();
  SpinMutex::scoped_lock lock(place.shard->LockOf(place.key.hash));
  Entry* const entry = place.shard->Find(place.key);
  if (entry == nullptr || Expired(*entry)) return;
  Shard::SetExpiry(entry, ExpiresAtMs(Expiry::After(*options.touch_ttl_ms), 0));
  entry->key().CountUse();
  ReadLocked(*entry, options, result);
}

// Everything but the likely case is a call at the end, which leaves the registers to that case.
void Store::GetPlain(std::string_view key, ReadResult* result) {
  StoreState& state = *state_;
  const StoreState::Place place = state.Locate(key);
  UnlockedRead read(place.shard->places(state.context));
  if (!state.Glance(place, state.Foresee(place), &read, result)) [[unlikely]]
    return state.ReadAnyhow(key, result);
  if (read.expires()) state.FinishExpiring(key, read.expires_at_ms(), result);
}

void StoreState::ReadAnyhow(std::string_view key, ReadResult* result) const {
  Read(Locate(key), {}, result);
}

void StoreState::FinishExpiring(std::string_view key, int64_t expires_at_ms,
                                ReadResult* result) const {
  if (!SetTtl(expires_at_ms, result)) ReadAnyhow(key, result);
}

void Store::GetWithOptions(std::string_view key, const GetOptions& options, ReadResult* result) {
  const StoreState::Place place = state_->Locate(key);
  if (options.touch_ttl_ms.has_value()) return state_->ReadAndTouch(place, options, result);
  state_->Read(place, options, result);
}

void Store::Peek(std::string_view key, bool with_value, ReadResult* result) {
  const StoreState::Place place = state_->Locate(key);
  result->Clear();
  SpinMutex::scoped_lock lock(place.shard->LockOf(place.key.hash));
  const Entry* entry = place.shard->Find(place.key);
  if (entry == nullptr || state_->Expired(*entry)) return;
  GetOptions options;
  if (!with_value) options.if_version_not = entry->version();
  state_->ReadLocked(*entry, options, result);
  result->not_modified = false;
}

bool Store::Exists(std::string_view key) {
  const StoreState::Place place = state_->Locate(key);
  SpinMutex::scoped_lock lock(place.shard->LockOf(place.key.hash));
  const Entry* entry = place.shard->Find(place.key);
  return entry != nullptr && !state_->Expired(*entry);
}

void Store::Listen(EventListener* listener) {
  state_->context.listener.store(listener, std::memory_order_release);
}

}  // namespace ferrite
