#pragma once

// The in-memory store: a concurrent map from byte keys to versioned, expiring values, within
// bounded memory.
//
// Every call on one key is one critical section on that key's entry: nothing comes between the
// check of a condition and the write, or between the read and the write of an Incr. A call on many
// keys is one critical section per key.
//
// Time. An entry is absent from the millisecond in which its time to live ends, for every call,
// whether or not its memory has been taken back; Sweep() only reclaims. If the wall clock is set,
// entries that expire by it come to their end sooner or later, at once. One that a call or an event
// has told to be gone never comes back; if the clock is set back before anybody asked, an entry
// that was over may be there again, or not.
//
// Memory. With a limit, a write that finds no room evicts entries first (eviction_queue.h says
// which), or fails with kMemoryFull when eviction is off. What entries take is counted
// whole: pages, large values, hash buckets and hints, and the eviction policy's own memory. Kept
// for the next write, and not counted, are at most some 3 MiB; nor are large values that only
// readers still hold.
//
// Versions grow strictly per key, also across delete, expiry and eviction: an entry's first is at
// least the Unix time in microseconds, which a double holds exactly until the year 2255, and each
// later one is higher. So they grow across a restart, too, unless the clock is set back or they ran
// ahead of it, by more than a million writes of a key a second. Where a key may have been another
// process's before, that one's versions are a floor here, and a ceiling makes sure that there is
// one.
//
//   Store store({.max_memory_bytes = 1 << 30});
//   store.Set("greeting", "hello", {.expiry = Expiry::After(60'000)});
//   ReadResult result;
//   store.Get("greeting", {}, &result);   // result.value.view() == "hello"
//
// All methods are thread-safe unless they say otherwise. Keys must be 1 B to kMaxKeyBytes long and
// times to live 1 to kMaxTtlMs; the caller checks that (a breach ends the process).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "store/event.h"
#include "store/operation.h"
#include "store/store_options.h"

namespace ferrite {

class RoomReservation;
class StoreState;

class Store {
 public:
  explicit Store(const StoreOptions& options);
  // No call may be in progress.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Reads `key` into `*result`, whose buffers are reused.
  void Get(std::string_view key, const GetOptions& options, ReadResult* result) {
    // Inline, so that a caller without options pays nothing for them.
    options.IsPlain() ? GetPlain(key, result) : GetWithOptions(key, options, result);
  }

  // results[i] becomes what Get(keys[i], {}) gives. The spans are of equal length. Much faster per
  // key than Get, as the cache misses of several keys overlap.
  void MGet(std::span<const std::string_view> keys, std::span<ReadResult> results);

  SetResult Set(std::string_view key, std::string_view value, const SetOptions& options = {}) {
    if (options.IsPlain()) {
      if (const uint64_t version = TrySet(key, value); version != 0) [[likely]]
        return {.version = version};
    }
    return SetInAllCases(key, value, options);
  }

  // Sets the value for which `room` was made, for this key, and whose block it takes. Takes no
  // longer than the Set of a small value. kMemoryFull, and nothing is changed, if there was no
  // room.
  SetResult Set(std::string_view key, RoomReservation* room, const SetOptions& options = {});

  // results[i] becomes what Set(items[i]...) gives, one after the other. The spans are of equal
  // length. Faster per key than Set, as MGet is.
  void MSet(std::span<const SetItem> items, std::span<SetResult> results);

  DeleteResult Delete(std::string_view key, std::optional<uint64_t> if_version = std::nullopt);

  // results[i] becomes what Delete(keys[i]) gives, one after the other. Faster per key, as MGet is.
  void MDelete(std::span<const std::string_view> keys, std::span<DeleteResult> results);

  // Calls act(i) for each key in order, having asked early for the memory that an operation on
  // keys[i] needs: operations of any kinds together gain what MGet gains for reads.
  void InTurn(std::span<const std::string_view> keys, absl::FunctionRef<void(size_t)> act);

  // Sets when the entry expires; without `expiry` it only tells. kKeep is not allowed.
  TouchResult Touch(std::string_view key, std::optional<Expiry> expiry);

  // Does not count as a use of the entry.
  bool Exists(std::string_view key);

  IncrResult Incr(std::string_view key, const IncrOptions& options);

  // Like Get, but does not count as a use of the entry; without the value unless asked.
  void Peek(std::string_view key, bool with_value, ReadResult* result);

  // Appends up to `limit` keys that start with `prefix` to `*keys`, looking at a bounded stretch of
  // the store, and moves `*cursor` on. Returns false when the end is reached. Every key that is
  // there from the first call with a fresh cursor to the call that returns false is given exactly
  // once. A key given may have expired: Peek tells.
  bool Scan(std::string_view prefix, size_t limit, ScanCursor* cursor,
            std::vector<ScannedKey>* keys);

  // Takes back the memory of expired entries, looking at a bounded stretch of the store, evicts a
  // few entries where the memory is above its limit, and has the kernel make a huge page of memory
  // that has filled up (huge_memory.h). Returns whether it came around to the start: call it until
  // it returns true, then rest. One thread at a time.
  bool Sweep();

  // Deletes every entry that is there when the call begins; returns how many. Takes as long as
  // there are entries: a thread that has other things to do takes the steps of a FlushWalk instead.
  uint64_t Flush();

  // Changes StoreOptions::max_memory_bytes (0: no limit) while others work. More room can be used
  // at once. What is above a lower limit goes a bounded step at a time: each Sweep(), and each
  // write that makes an entry, evicts some of it; without eviction, writes that take memory fail
  // until enough was deleted or has expired. The number of shards, and the tables, stay as they
  // are: below LeastMemoryBytes() a limit leaves next to no room for entries.
  void SetMaxMemoryBytes(uint64_t bytes);
  // The limit that holds now; 0: none.
  uint64_t max_memory_bytes() const;
  // The least limit that leaves each shard what it needs beside the tables that there are.
  uint64_t LeastMemoryBytes() const;

  // Changes StoreOptions::evict while others work.
  void SetEviction(bool evict);
  // Where there are several stores: how much of the memory between large values, which lie in one
  // heap for all, counts for this one, from 0 to 1, which it is at first.
  void SetHeapShare(double share);

  // Whether memory is above the limit, and there is something to evict: Sweep() again soon.
  bool HasExcess() const;

  // From now on tells `listener` what happens to entries; null: nobody, which costs nothing. Each
  // write that is not told to `listener` is visible to all readers when this returns. Calls in
  // progress may still call the one before, so both must outlive the store.
  void Listen(EventListener* listener);

  // From now on keys that are absent get higher versions than `version`; those that are there have
  // their own to go on from.
  void RaiseVersionFloor(uint64_t version);
  // From now on versions follow the wall clock no further than this. Above it are only those that
  // exceed the key's last, or the floor, by 1.
  void SetVersionCeiling(uint64_t version);

  // Not a snapshot: the figures may be from slightly different moments.
  StoreStats Stats() const;
  // Stats().memory_bytes(), without the walk over expired entries that Stats takes.
  size_t memory_bytes() const;
  // Of large values.
  size_t block_bytes() const;

  size_t shard_count() const;

 private:
  friend class DropWalk;
  friend class FlushWalk;
  friend class RoomReservation;

  // The likely cases are apart from the others, so that they need not pay for them.
  void GetPlain(std::string_view key, ReadResult* result);
  void GetWithOptions(std::string_view key, const GetOptions& options, ReadResult* result);
  // Returns the version that was written; 0, and nothing is changed, if it takes more than
  // overwriting a value.
  uint64_t TrySet(std::string_view key, std::string_view value);
  SetResult SetInAllCases(std::string_view key, std::string_view value, const SetOptions& options);

  const std::unique_ptr<StoreState> state_;
};

}  // namespace ferrite
