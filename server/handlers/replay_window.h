#pragma once

// What makes retries safe: the outcomes of the calls that carried a request_id, for 60 s.

#include "absl/status/status.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "google/protobuf/message.h"
#include "server/handlers/client_shares.h"

namespace ferrite {

inline constexpr int64_t kReplayWindowMs = 60'000;

// A hash of a request, by which a request_id that is used for another one is found out. Made of its
// serialized bytes, kPieceBytes at a time.
class RequestHash {
 public:
  static constexpr size_t kPieceBytes = size_t{256} << 10;

  explicit RequestHash(std::string_view type_name) { Add(type_name); }
  // The next piece; all but the last have kPieceBytes.
  void Add(std::string_view piece) {
    value_ = value_ * 0x9e3779b97f4a7c15 + std::hash<std::string_view>{}(piece);
  }
  size_t value() const { return value_; }

  static RequestHash Of(const google::protobuf::Message& request);

 private:
  size_t value_ = 0;
};

// Thread-safe. Bounded in bytes: when it is full, a call with a new request_id is refused rather
// than an old one forgotten, as forgetting would break a promise without anyone noticing.
//
// No client can use it up for the others: a client, which is a host, may hold at most
// kShareOfFree times as much as is free. So one alone gets three quarters, two get three sevenths
// each, and there always is something left.
//
// An outcome takes its answer, if that is no larger than kMaxAnswerBytes, and some 200 bytes.
class ReplayWindow {
 public:
  // Of a larger answer only a summary is kept.
  static constexpr size_t kMaxAnswerBytes = size_t{4} << 10;
  static constexpr size_t kShareOfFree = 3;

  // `clock` must outlive the window.
  ReplayWindow(size_t limit_bytes, const Clock* clock)
      : limit_bytes_(limit_bytes), clock_(*clock) {}

  // Executes a call once: if `request_id` was seen within the window, the outcome is what it was
  // then; else `execute` runs and fills in `*response`. Remembered are successes and refusals
  // (OUT_OF_RANGE, FAILED_PRECONDITION), not what a later try may mend. Calls with the same id wait
  // for each other. With an empty id it only executes. INVALID_ARGUMENT if the id was used with
  // another request; RESOURCE_EXHAUSTED if the window is full, or the current caller's host has its
  // share of it; ALREADY_EXISTS (REPLAY_TOO_LARGE) if the first answer was too large to be kept.
  absl::Status Once(std::string_view request_id, const google::protobuf::Message& request,
                    google::protobuf::MessageLite* response,
                    const std::function<absl::Status()>& execute);
  // The same with the hash of the request.
  absl::Status Once(std::string_view request_id, size_t request_hash,
                    google::protobuf::MessageLite* response,
                    const std::function<absl::Status()>& execute);

  // Whether a call with that id was seen within the window. False for an empty id.
  bool Knows(std::string_view request_id);

  // Forgets what is past the window.
  void Purge();

  size_t memory_bytes() const { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  // What a remembered outcome takes besides its bytes.
  static constexpr size_t kOverheadBytes = 160;

  struct Outcome {
    size_t request_hash;
    absl::Status status;   // of a repetition
    std::string response;  // serialized

    size_t memory_bytes(const std::string& request_id) const {
      return kOverheadBytes + request_id.size() + response.size() +
             // Its text stands once in the status and once in the details of it.
             3 * status.message().size();
    }
  };
  struct Expiring {
    int64_t at_ms;
    const std::string* request_id;  // that of the outcome
    ClientShares::Share* share;     // what its bytes count in
  };
  // Ids are spread over stripes, so that calls with different ones rarely wait for each other.
  static constexpr size_t kStripes = 64;
  static constexpr int64_t kNever = INT64_MAX;
  struct Stripe {
    Mutex mutex;
    std::unordered_map<std::string, Outcome> outcomes ABSL_GUARDED_BY(mutex);
    std::deque<Expiring> expiring ABSL_GUARDED_BY(mutex);  // in order of time
    std::atomic<int64_t> next_ms{kNever};                  // when the first of them is past
  };

  Stripe& StripeOf(const std::string& request_id) {
    return stripes_[std::hash<std::string>{}(request_id) % kStripes];
  }
  // In how many milliseconds the oldest outcome is past.
  int64_t OldestIsPastInMs() const;
  // Whether there is room for another outcome of this client.
  absl::Status CheckRoom(const std::string& client) const;
  void PurgeStripe(Stripe* stripe) ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe->mutex);

  const size_t limit_bytes_;
  const Clock& clock_;
  ClientShares shares_;
  std::atomic<size_t> memory_bytes_{0};
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace ferrite
