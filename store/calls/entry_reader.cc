#include "store/calls/entry_reader.h"

namespace ferrite {

void EntryReader::Read(const GetOptions& options, ReadResult* result) const {
  UnlockedRead read(key_.shard->places());
  if (!read.Run(key_.key, state_.counts_uses(), &result->value))
    return LockAndRead(options, result);
  result->found = true;
  result->version = read.version();
  result->ttl_ms.reset();
  result->not_modified = options.if_version_not == result->version;
  if (result->not_modified) result->value.Clear();
  if (read.expires() && !SetTtl(state_, read.expires_at_ms(), result)) LockAndRead(options, result);
}

void EntryReader::LocateAndRead(const StoreState& state, std::string_view key, ReadResult* result) {
  EntryReader(state, state.Locate(key)).Read({}, result);
}

void EntryReader::FinishExpiring(const StoreState& state, std::string_view key,
                                 int64_t expires_at_ms, ReadResult* result) {
  if (!SetTtl(state, expires_at_ms, result)) LocateAndRead(state, key, result);
}

Entry* EntryReader::FindLocked() const {
  Entry* const entry = key_.shard->Find(key_.key);
  return entry == nullptr || key_.shard->HasExpired(entry) ? nullptr : entry;
}

void EntryReader::CopyLocked(const StoreState& state, const Entry& entry, const GetOptions& options,
                             ReadResult* result) {
  result->found = true;
  result->version = entry.version();
  result->ttl_ms = state.TtlMs(entry);
  result->not_modified = options.if_version_not == result->version;
  if (!result->not_modified) entry.CopyValueTo(&result->value);
}

void EntryReader::LockAndRead(const GetOptions& options, ReadResult* result) const {
  result->Clear();
  SpinMutex::scoped_lock lock(key_.lock());
  const Entry* const entry = FindLocked();
  if (entry == nullptr) return;
  entry->key().CountUse();
  CopyLocked(state_, *entry, options, result);
}

void EntryReader::LockTouchAndRead(const GetOptions& options, ReadResult* result) const {
  result->Clear();
  SpinMutex::scoped_lock lock(key_.lock());
  Entry* const entry = FindLocked();
  if (entry == nullptr) return;
  key_.shard->SetExpiry(entry, state_.ExpiresAtMs(Expiry::After(*options.touch_ttl_ms), 0));
  entry->key().CountUse();
  CopyLocked(state_, *entry, options, result);
}

void EntryReader::LockAndPeek(bool with_value, ReadResult* result) const {
  result->Clear();
  SpinMutex::scoped_lock lock(key_.lock());
  const Entry* const entry = FindLocked();
  if (entry == nullptr) return;
  GetOptions options;
  if (!with_value) options.if_version_not = entry->version();
  CopyLocked(state_, *entry, options, result);
  result->not_modified = false;
}

EntryReader::Standing EntryReader::LockAndWeigh() const {
  SpinMutex::scoped_lock lock(key_.lock());
  Entry* const entry = key_.shard->Find(key_.key);
  if (entry == nullptr) return {};
  const bool found = !key_.shard->HasExpired(entry);
  return {.found = found,
          .version = found ? entry->version() : 0,
          .block_bytes = entry->HasBlock() ? ValueBlock::MemoryBytes(entry->value().size()) : 0};
}

bool EntryReader::LockAndFind() const {
  SpinMutex::scoped_lock lock(key_.lock());
  return FindLocked() != nullptr;
}

}  // namespace ferrite
