#include "store/store.h"

#include <algorithm>

#include "store/check.h"
#include "store/store_state.h"

namespace ferrite {
namespace {

// How many keys a group read has in flight: enough to hide a cache miss behind the others, few
// enough for the core's buffers.
constexpr size_t kGroupSize = 16;

}  // namespace

Store::Store(const StoreOptions& options) : state_(std::make_unique<StoreState>(options)) {}

Store::~Store() = default;

size_t Store::shard_count() const { return state_->shards.size(); }

void StoreState::Read(const Place& place, const GetOptions& options, ReadResult* result) const {
  result->Clear();
  EntryMap::const_accessor accessor;
  if (!place.shard->map().find(accessor, place.key) || Expired(accessor->second)) return;
  accessor->second.key().CountUse();
  ReadLocked(accessor->second, options, result);
}

void StoreState::ReadLocked(const Entry& entry, const GetOptions& options,
                            ReadResult* result) const {
  result->found = true;
  result->version = entry.version();
  result->ttl_ms = TtlMs(entry);
  result->not_modified = options.if_version_not == result->version;
  if (!result->not_modified) entry.CopyValueTo(&result->value);
}

void Store::Get(std::string_view key, const GetOptions& options, ReadResult* result) {
  const StoreState::Place place = state_->Locate(key);
  if (options.touch_ttl_ms.has_value()) {
    // The new expiry and the read are one step.
    Shard::Accessor accessor;
    if (place.shard->map().find(accessor, place.key) && !state_->Expired(accessor->second)) {
      const Expiry expiry = Expiry::After(*options.touch_ttl_ms);
      Shard::SetExpiry(&accessor->second, state_->ExpiresAtMs(expiry, 0));
      accessor->second.key().CountUse();
      result->Clear();
      return state_->ReadLocked(accessor->second, options, result);
    }
  }
  state_->Read(place, options, result);
}

void Store::MGet(std::span<const std::string_view> keys, std::span<ReadResult> results) {
  FERRITE_CHECK(keys.size() == results.size());
  StoreState::Place places[kGroupSize];
  for (size_t begin = 0; begin < keys.size(); begin += kGroupSize) {
    const size_t count = std::min(kGroupSize, keys.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      places[i] = state_->Locate(keys[begin + i]);
      places[i].shard->map().PrefetchBucket(places[i].key.hash);
    }
    for (size_t i = 0; i < count; ++i) places[i].shard->map().PrefetchNode(places[i].key.hash);
    for (size_t i = 0; i < count; ++i) {
      places[i].shard->map().PrefetchNextNode(places[i].key.hash);
    }
    for (size_t i = 0; i < count; ++i) state_->Read(places[i], {}, &results[begin + i]);
  }
}

void Store::Peek(std::string_view key, bool with_value, ReadResult* result) {
  const StoreState::Place place = state_->Locate(key);
  result->Clear();
  EntryMap::const_accessor accessor;
  if (!place.shard->map().find(accessor, place.key) || state_->Expired(accessor->second)) return;
  GetOptions options;
  if (!with_value) options.if_version_not = accessor->second.version();
  state_->ReadLocked(accessor->second, options, result);
  result->not_modified = false;
}

bool Store::Exists(std::string_view key) {
  const StoreState::Place place = state_->Locate(key);
  EntryMap::const_accessor accessor;
  return place.shard->map().find(accessor, place.key) && !state_->Expired(accessor->second);
}

}  // namespace ferrite
