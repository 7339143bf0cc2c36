#pragma once

// How many streams there are, of each connection and of all, and that none has more than it may.
//
// HTTP/2 has a limit of its own, which gRPC announces to its clients. But a client at that limit
// says nothing to anybody: its calls wait until a stream ends, and streams that last, such as
// subscriptions, may never. So Ferrite announces more places than streams may take, refuses streams
// beyond their limit with a reason, and leaves the rest to unary calls, which soon make room for
// each other.
//
// A stream takes memory also when nothing happens on it, so there is a limit for all together, of
// which a connection gets a share (connection_shares.h). Those that watch the server's health, for
// which nobody needs a right, get up to half of it, so that they keep nobody else out.
// Subscriptions have another limit, and places only of their connection.

#include <cstddef>
#include <cstdint>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "server/call/method.h"
#include "server/call/shed_reason.h"

namespace ferrite {

struct StreamLimits {
  size_t per_connection = 1024;
  size_t all = size_t{1} << 20;
  uint64_t connection_percent = 50;  // of `all`, for one connection that is alone
};

// Thread-safe.
class StreamPlaces {
 public:
  explicit StreamPlaces(const StreamLimits& limits);

  // How many calls of a connection to announce to its client.
  static size_t Announced(size_t per_connection) {
    return per_connection + per_connection / 4 + 64;
  }

  // Takes a place; RESOURCE_EXHAUSTED (OVERLOADED), and `*reason`, if there is none.
  absl::Status Take(Method method, uint64_t connection, ShedReason* reason);
  // Gives one back that was taken.
  void GiveBack(Method method, uint64_t connection);

  // All that count against the limit of all.
  size_t taken() const {
    MutexLock lock(&mutex_);
    return all_;
  }
  const StreamLimits& limits() const { return limits_; }

 private:
  // Of one connection.
  struct Taken {
    size_t any = 0;
    size_t counted = 0;  // of those for which there is a limit of all
  };

  size_t MostWatches() const { return limits_.all - limits_.all / 2; }

  const StreamLimits limits_;
  // Made once: each refusal is to cost next to nothing.
  const absl::Status too_many_;
  const absl::Status too_many_of_all_;
  const absl::Status share_taken_;
  std::once_flag logged_;
  mutable Mutex mutex_;
  size_t all_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t watches_ ABSL_GUARDED_BY(mutex_) = 0;  // among them
  absl::flat_hash_map<uint64_t, Taken> taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ferrite
