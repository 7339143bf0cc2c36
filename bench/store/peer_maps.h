#pragma once

// What a C++ programmer would reach for instead of ferrite::Store, behind the verbs that every map
// under test has:
//
//   bool Get(key, Buffer* value)      copies the value into a buffer that is reused; false: no key
//   void Set(key, value)
//   bool Incr(key)                    adds 1 to a decimal text in one atomic step; false: no key
//   size_t MGet(keys, Batch*)         leaves the values in the batch; how many were there
//   void MSet(keys, value, Batch*)
//   size_t MDelete(keys, Batch*)      how many were there
//
// Each does what a cache would have to do: keys and values are byte strings of any length.

#include <array>
#include <charconv>
#include <cstdint>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace ferrite::bench {

// Adds 1 to the decimal number in `*text`; false when it is none.
inline bool IncrementText(std::string* text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return false;
  std::array<char, 20> digits;
  text->assign(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), number + 1).ptr);
  return true;
}

// The calls for many keys, for maps that have none. Such a map also has `bool Delete(key)`.
template <class Map>
class OneByOne {
 public:
  struct Batch {
    explicit Batch(size_t size) : values(size) {}
    std::vector<std::string> values;
  };

  size_t MGet(std::span<const std::string_view> keys, Batch* batch) {
    size_t found = 0;
    for (size_t i = 0; i < keys.size(); ++i) found += map().Get(keys[i], &batch->values[i]);
    return found;
  }

  void MSet(std::span<const std::string_view> keys, std::string_view value, Batch*) {
    for (const std::string_view key : keys) map().Set(key, value);
  }

  size_t MDelete(std::span<const std::string_view> keys, Batch*) {
    size_t deleted = 0;
    for (const std::string_view key : keys) deleted += map().Delete(key);
    return deleted;
  }

 private:
  Map& map() { return static_cast<Map&>(*this); }
};

// Lets std::unordered_map look a string_view up without making a string.
struct TransparentHash : std::hash<std::string_view> {
  using is_transparent = void;
};

// std::unordered_map under one lock; `ReadLock` is what a Get takes.
template <class Mutex, class ReadLock>
class LockedMap : public OneByOne<LockedMap<Mutex, ReadLock>> {
 public:
  using Buffer = std::string;

  bool Get(std::string_view key, std::string* value) {
    ReadLock lock(mutex_);
    const auto entry = map_.find(key);
    if (entry == map_.end()) return false;
    *value = entry->second;
    return true;
  }

  void Set(std::string_view key, std::string_view value) {
    std::unique_lock lock(mutex_);
    const auto entry = map_.find(key);
    if (entry != map_.end()) {
      entry->second.assign(value);
    } else {
      map_.emplace(key, value);
    }
  }

  bool Delete(std::string_view key) {
    std::unique_lock lock(mutex_);
    const auto entry = map_.find(key);
    if (entry == map_.end()) return false;
    map_.erase(entry);
    return true;
  }

  bool Incr(std::string_view key) {
    std::unique_lock lock(mutex_);
    const auto entry = map_.find(key);
    return entry != map_.end() && IncrementText(&entry->second);
  }

 private:
  Mutex mutex_;
  std::unordered_map<std::string, std::string, TransparentHash, std::equal_to<>> map_;
};

using MutexMap = LockedMap<std::mutex, std::unique_lock<std::mutex>>;
using SharedMutexMap = LockedMap<std::shared_mutex, std::shared_lock<std::shared_mutex>>;

// absl::flat_hash_map in 64 shards, each under a reader-writer lock. The hash is computed once per
// operation.
class AbslShardsMap : public OneByOne<AbslShardsMap> {
 public:
  using Buffer = std::string;

  bool Get(std::string_view key, std::string* value) {
    const Place place = PlaceOf(key);
    absl::ReaderMutexLock lock(&place.shard.mutex);
    const auto entry = place.shard.map.find(place.key, place.hash);
    if (entry == place.shard.map.end()) return false;
    *value = entry->second;
    return true;
  }

  void Set(std::string_view key, std::string_view value) {
    const Place place = PlaceOf(key);
    absl::WriterMutexLock lock(&place.shard.mutex);
    const auto entry = place.shard.map.find(place.key, place.hash);
    if (entry != place.shard.map.end()) {
      entry->second.assign(value);
    } else {
      place.shard.map.emplace(key, value);
    }
  }

  bool Delete(std::string_view key) {
    const Place place = PlaceOf(key);
    absl::WriterMutexLock lock(&place.shard.mutex);
    const auto entry = place.shard.map.find(place.key, place.hash);
    if (entry == place.shard.map.end()) return false;
    place.shard.map.erase(entry);
    return true;
  }

  bool Incr(std::string_view key) {
    const Place place = PlaceOf(key);
    absl::WriterMutexLock lock(&place.shard.mutex);
    const auto entry = place.shard.map.find(place.key, place.hash);
    return entry != place.shard.map.end() && IncrementText(&entry->second);
  }

 private:
  using Map = absl::flat_hash_map<std::string, std::string>;
  struct alignas(64) Shard {
    absl::Mutex mutex;
    Map map ABSL_GUARDED_BY(mutex);
  };
  struct Place {
    Shard& shard;
    size_t hash;
    absl::string_view key;
  };

  Place PlaceOf(std::string_view key) {
    const absl::string_view absl_key(key.data(), key.size());
    const size_t hash = Map::hasher()(absl_key);
    // The map itself uses the low bits.
    return {shards_[hash >> (64 - 6)], hash, absl_key};
  }

  std::array<Shard, 64> shards_;
};

}  // namespace ferrite::bench
