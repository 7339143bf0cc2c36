#pragma once

// How many streams each connection has, and that none has more than it may.
//
// HTTP/2 has a limit of its own, which gRPC announces to its clients. But a client at that limit
// says nothing to anybody: its calls wait until a stream ends, and streams that last, such as
// subscriptions, may never. So Ferrite announces more places than streams may take, refuses streams
// beyond their limit with a reason, and leaves the rest to unary calls, which soon make room for
// each other.

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"

namespace ferrite {

// Thread-safe.
class StreamPlaces {
 public:
  explicit StreamPlaces(size_t per_connection);

  // How many calls of a connection to announce to its client.
  static size_t Announced(size_t per_connection) {
    return per_connection + per_connection / 4 + 64;
  }

  // Takes a place; RESOURCE_EXHAUSTED (OVERLOADED) if the connection has as many streams as it may.
  absl::Status Take(uint64_t connection);
  // Gives one back that was taken.
  void GiveBack(uint64_t connection);

 private:
  const size_t per_connection_;
  const absl::Status too_many_;  // made once: each refusal is to cost next to nothing
  std::once_flag logged_;
  Mutex mutex_;
  absl::flat_hash_map<uint64_t, size_t> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
