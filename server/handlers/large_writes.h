#pragma once

// Writes that need much room: values of up to 64 MiB, or batches of megabytes, into a store that
// may be full of small entries. Room is made ahead, in short steps between which the thread serves
// other calls, and the write itself is short: neither other calls nor those with another request_id
// wait for it.

#include <cstddef>

#include "absl/status/status.h"
#include "server/engine/rpc.h"
#include "server/handlers/cache_handlers.h"
#include "server/handlers/wire_handlers.h"
#include "store/store.h"

namespace ferrite {

// Batches and frames of fewer bytes make room as they go: each of their writes is short, and all
// together take a few milliseconds at most. They are answered at once.
inline constexpr size_t kLargeBatchBytes = size_t{256} << 10;

// Handlers of Set, MSet and frames of Pipeline: small ones are answered at once. All must outlive
// the calls.
absl::Status AnswerSet(Store* store, CacheHandlers* cache, Turn* turn);
absl::Status AnswerMSet(Store* store, CacheHandlers* cache, Turn* turn);
absl::Status AnswerFrame(Store* store, WireHandlers* wire, Turn* turn);

}  // namespace ferrite
