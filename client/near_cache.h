#pragma once

// A cache in the process: it answers reads of entries that were read before, without a call.
//
//   absl::StatusOr<std::unique_ptr<NearCache>> near = NearCache::Create(client, {});
//   absl::StatusOr<NearEntry> entry = (*near)->Get("greeting");
//   if (entry.ok() && entry->found()) Use(entry->value());
//
// How old. The server reports every write, deletion and eviction to the near cache, usually within
// a millisecond, and the near cache drops what has changed. However slow or broken the connection
// is, a read never returns a value that was overwritten or deleted more than max_staleness before
// the read began: while the near cache cannot be sure of that, it asks the server. Nor does a read
// return a value older than an earlier read of the same key through this near cache did. An entry
// is not returned once its time to live is over. Touch is not reported: an entry whose time to live
// was shortened may be returned until its old time to live is over, or until the server reports
// that it expired, which takes seconds.
//
// Own writes. A read may miss any write, even the caller's own, for max_staleness. It sees writes
// through Set and Delete of the near cache, and those after whose acknowledgement Invalidate was
// called.
//
// Clusters. All of this holds for a cluster as well, whichever nodes answer the reads and pass on
// the events. While one that owns slots is not heard of, reads are calls; when slots have got other
// owners, the near cache begins anew.
//
// Misses. Entries under the prefixes are kept as the server returns them; misses are not kept.
// Concurrent misses of one key share one call. Other keys pass through. Hits do not count as uses
// on the server, neither for its eviction nor for sliding times to live.
//
// Calls to the server have the default timeout and the retries of the client. A read that joins a
// call under way shares its failure, too.
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
  // Entries whose keys start with one of these are kept; an empty one means every key. The server
  // reports every write under them, so choose keys that are read often and seldom written. 1 to
  // 1,023.
  std::vector<std::string> key_prefixes = {""};
  // How much memory the entries may take, keys and overhead included. An entry that takes more than
  // 2 MiB, or more than this limit, may be too large to be kept. Above 0.
  size_t max_bytes = size_t{64} << 20;
  // See above. 10 ms to 1 h. Within this time four small messages go to the server and back.
  absl::Duration max_staleness = absl::Seconds(1);
};

class NearCache {
 public:
  // INVALID_ARGUMENT if an option is out of range. Returns at once: until the subscription is
  // acknowledged, reads are calls to the server.
  static absl::StatusOr<std::unique_ptr<NearCache>> Create(Client* client,
                                                           const NearCacheOptions& options = {});
  ~NearCache();
  NearCache(const NearCache&) = delete;
  NearCache& operator=(const NearCache&) = delete;

  absl::StatusOr<NearEntry> Get(std::string_view key);
  void GetAsync(std::string_view key, Callback<NearEntry> done);

  // Reads of the key that begin after this return what the server has now, or something newer.
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
