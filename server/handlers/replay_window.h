#pragma once

// What makes retries safe: the outcomes of the calls that carried a request_id, for 60 s.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "google/protobuf/message.h"
#include "server/call/request_scope.h"
#include "server/handlers/client_shares.h"
#include "server/handlers/keyed_hash.h"

namespace ferrite {

inline constexpr int64_t kReplayWindowMs = 60'000;

// By which a request_id that is used for another request is found out. Of its type, and of its
// serialized bytes in pieces.
class RequestHash {
 public:
  explicit RequestHash(std::string_view type_name) {
    hash_.Add(type_name);
    hash_.Add(std::string_view("\0", 1));
  }
  void Add(std::string_view piece) { hash_.Add(piece); }
  KeyedDigest Finish() { return hash_.Finish(); }

  static KeyedDigest Of(const google::protobuf::Message& request);

 private:
  KeyedHash hash_;
};

// Thread-safe. Bounded in bytes: when it is full, a call with a new request_id is refused rather
// than an old one forgotten, as forgetting would break a promise without anyone noticing.
//
// No client can use it up for the others: a client, which is a host, may hold at most
// kShareOfFree times as much as is free. So one alone gets three quarters, two get three sevenths
// each, and there always is something left.
//
// Ids of different principals are different ones, so nobody can take or guess another's. Ids and
// requests are compared by keyed hashes.
//
// An outcome takes its answer, if that is no larger than kMaxAnswerBytes, and some 200 bytes.
class ReplayWindow {
 public:
  // Of a larger answer only a summary is kept.
  static constexpr size_t kMaxAnswerBytes = size_t{4} << 10;
  static constexpr size_t kShareOfFree = 3;

  // `clock` must outlive the window. `scope_of`: whose the ids of a caller are; absent: there is
  // one scope for all.
  ReplayWindow(size_t limit_bytes, const Clock* clock, ScopeOfCaller scope_of = nullptr)
      : limit_bytes_(limit_bytes), clock_(*clock), scope_of_(std::move(scope_of)) {}

  // Executes a call once: if `request_id` was seen within the window, the outcome is what it was
  // then; else `execute` runs and fills in `*response`. Remembered are successes and refusals
  // (OUT_OF_RANGE, FAILED_PRECONDITION), not what a later try may mend. Calls with the same id wait
  // for each other. With an empty id it only executes. INVALID_ARGUMENT if the id was used with
  // another request; RESOURCE_EXHAUSTED if the window is full, or the current caller's host has its
  // share of it; ALREADY_EXISTS (REPLAY_TOO_LARGE) if the first answer was too large to be kept.
  absl::Status Once(std::string_view request_id, const google::protobuf::Message& request,
                    google::protobuf::MessageLite* response,
                    const std::function<absl::Status()>& execute);
  // The same with the hash of the request, which is not looked at if the id is empty.
  absl::Status Once(std::string_view request_id, const KeyedDigest& request_hash,
                    google::protobuf::MessageLite* response,
                    const std::function<absl::Status()>& execute);

  // Whether a call with that id was seen within the window. False for an empty id.
  bool Knows(std::string_view request_id);

  // Forgets what is past the window.
  void Purge();

  size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  // What a remembered outcome takes besides its bytes.
  static constexpr size_t kOverheadBytes = 192;

  struct Outcome {
    KeyedDigest request_hash;
    absl::Status status;   // of a repetition
    std::string response;  // serialized

    size_t memory_bytes() const {
      return kOverheadBytes + response.size() +
             // Its text stands once in the status and once in the details of it.
             3 * status.message().size();
    }
  };
  struct Expiring {
    int64_t at_ms;
    KeyedDigest id;              // that of the outcome
    ClientShares::Share* share;  // what its bytes count in
  };
  // Ids are spread over stripes, so that calls with different ones rarely wait for each other.
  static constexpr size_t kStripes = 64;
  static constexpr int64_t kNever = INT64_MAX;
  struct Stripe {
    Mutex mutex;
    std::unordered_map<KeyedDigest, Outcome, DigestAsHash> outcomes ABSL_GUARDED_BY(mutex);
    std::deque<Expiring> expiring ABSL_GUARDED_BY(mutex);  // in order of time
    std::atomic<int64_t> next_ms{kNever};                  // when the first of them is past
  };

  // What stands for an id of the current caller.
  KeyedDigest Scoped(std::string_view request_id) const;
  Stripe& StripeOf(const KeyedDigest& id) { return stripes_[id[1] % kStripes]; }
  // In how many milliseconds the oldest outcome is past.
  int64_t OldestIsPastInMs() const;
  // Whether there is room for another outcome of this client.
  absl::Status CheckRoom(const std::string& client) const;
  void PurgeStripe(Stripe* stripe) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe->mutex);

  const size_t limit_bytes_;
  const Clock& clock_;
  const ScopeOfCaller scope_of_;
  ClientShares shares_;
  std::atomic<size_t> memory_bytes_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace ferrite
