#pragma once

// What is behind the public face of the store: the shards, and what is decided across them.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "store/shard.h"
#include "store/store.h"

namespace ferrite {

// Thread-safe.
class StoreState {
 public:
  explicit StoreState(const StoreOptions& options);

  // A key's hash and where it belongs. The high bits of the 64-bit hash choose the shard; the map
  // gets the low ones.
  struct Place {
    Shard* shard;
    LookupKey key;
  };
  Place Locate(std::string_view key) const;

  // Takes a slot of the class from `shard` as `prepared_slot`, evicting where there is no room;
  // false if that fails.
  bool PrepareSlot(Shard* shard, uint8_t size_class);
  // Makes room for `bytes` outside of slots; false if that fails. `shard` is asked first. With 0
  // bytes it evicts what is above the limit, where growing hash tables and values that outgrow
  // their slots may put us: neither can evict itself, as it happens under a lock.
  bool MakeRoom(Shard* shard, size_t bytes);

  // Reads an entry into `*result`, whose other fields are cleared; a miss if it is absent. Counts
  // as a use.
  void Read(const Place& place, const GetOptions& options, ReadResult* result) const;
  // The same for an entry that the caller has locked and knows to be there, into a clear `*result`.
  // No use is counted.
  void ReadLocked(const Entry& entry, const GetOptions& options, ReadResult* result) const;

  // The monotonic time at which an entry is to expire; 0: never. `kept_ms` is for Expiry::Keep().
  int64_t ExpiresAtMs(const Expiry& expiry, int64_t kept_ms) const;
  // What is left of it.
  std::optional<int64_t> TtlMs(const Entry& entry) const;
  bool Expired(const Entry& entry) const {
    return entry.Expired([this] { return context.clock->MonotonicMs(); });
  }

  ShardContext context;
  std::vector<std::unique_ptr<Shard>> shards;

  // Where the sweep stands; used by one thread at a time.
  size_t sweep_shard = 0;
  uint32_t sweep_page = 0;

 private:
  template <typename Done>
  bool EvictUntil(Shard* shard, Done done);

  int shard_shift_;
};

}  // namespace ferrite
