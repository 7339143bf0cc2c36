#pragma once

// A cache in the process: answers reads of entries that were read before, without a call.
//
//   absl::StatusOr<std::unique_ptr<NearCache>> near = NearCache::Create(client, {});
//   absl::StatusOr<NearEntry> entry = (*near)->Get("greeting");
//   if (entry.ok() && entry->found()) Use(entry->value());
//
// How old. The server tells the near cache of every write, deletion and eviction, usually within a
// millisecond, and it drops what has changed. However slow or broken the connection is, a read
// never answers what was overwritten or deleted more than max_staleness before it began: a near
// cache that cannot be sure of that asks the server, until it can again. Nor does a read answer
// something older than an earlier read of the same key through this near cache did. Entries with a
// time to live are not answered once it is over.
// What is not told: Touch. An entry whose time to live somebody shortens may be answered until the
// one that it had when it was read is over, or the server tells of its end, seconds after it.
//
// Own writes. A read that follows a write need not see it for max_staleness, whoever wrote. Write
// through Set and Delete here, or call Invalidate when a write was acknowledged, and it does.
//
// Misses. The entry of a key under the prefixes is kept when the server has answered it; that a key
// is not there is not kept. Reads of one key that are missed at the same time share one call. Other
// keys pass through. Hits do not count as uses on the server, for eviction there nor for sliding
// times to live.
//
// Calls to the server have the default timeout and the retries of the client. Who joins a call that
// is under way also joins its failure.
//
// Threads. All methods are thread-safe. Callbacks run on the client's completion threads, as for
// Client, or within GetAsync in the case of a hit.
//
// End. The client must outlive the near cache. The destructor cancels reads that are under way and
// returns after their callbacks have; it must not run within a callback. Entries stay valid.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/callback.h"
#include "client/client.h"
#include "client/near_cache/near_cache_stats.h"
#include "client/near_cache/near_entry.h"

namespace ferrite {

struct NearCacheOptions {
  // Entries whose keys start with one of these are kept; an empty one stands for every key. The
  // server tells of every write under them, so name what is read often and written seldom. 1 to
  // 1,023.
  std::vector<std::string> key_prefixes = {""};
  // What the entries may take of memory, keys and all else included. An entry that takes more than
  // 2 MiB, or than all of this if it is less, may be too large to be kept. Above 0.
  size_t max_bytes = size_t{64} << 20;
  // See above. 10 ms to 1 h. Four times in it a small message goes to the server and back.
  absl::Duration max_staleness = absl::Seconds(1);
};

class NearCache {
 public:
  // INVALID_ARGUMENT when an option is out of its range. Returns at once: until the subscription
  // stands, reads are calls to the server.
  static absl::StatusOr<std::unique_ptr<NearCache>> Create(Client* client,
                                                           const NearCacheOptions& options = {});
  ~NearCache();
  NearCache(const NearCache&) = delete;
  NearCache& operator=(const NearCache&) = delete;

  absl::StatusOr<NearEntry> Get(std::string_view key);
  void GetAsync(std::string_view key, Callback<NearEntry> done);

  // Whoever reads the key from now on gets what the server has from now on, or later.
  void Invalidate(std::string_view key);

  // As those of Client; reads that begin after the outcome see the write.
  void SetAsync(v1::SetRequest request, const CallOptions& options, Callback<v1::SetResponse> done);
  void DeleteAsync(v1::DeleteRequest request, const CallOptions& options,
                   Callback<v1::DeleteResponse> done);
  absl::StatusOr<v1::SetResponse> Set(v1::SetRequest request, const CallOptions& options = {});
  absl::StatusOr<v1::DeleteResponse> Delete(v1::DeleteRequest request,
                                            const CallOptions& options = {});

  NearCacheStats stats() const;

 private:
  class Core;
  NearCache(Client* client, const NearCacheOptions& options);

  const std::shared_ptr<Core> core_;
};

}  // namespace ferrite
