#pragma once

// Writes entries by the million: in batches, several of them under way at a time.

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/client.h"

namespace ferrite::cli {

// Holds at most nine batches of 1 MiB, or of one larger entry. A key that occurs twice keeps its
// last value. Not thread-safe.
class EntryLoader {
 public:
  // What became of the entries.
  struct Counts {
    uint64_t stored = 0;
    uint64_t kept = 0;    // not stored, as the key was there (SET_CONDITION_ABSENT)
    uint64_t failed = 0;  // each was reported
    uint64_t bytes = 0;   // of keys and values that were stored
  };

  // `report` hears of each entry that the server refused, with the line it came from.
  EntryLoader(Client& client, std::function<void(uint64_t line, const absl::Status& why)> report)
      : client_(client), report_(std::move(report)) {}

  // Takes an entry. Fails if the server cannot be reached, whereupon nothing more should be added.
  absl::Status Add(v1::SetRequest entry, uint64_t line);

  // Waits until all that was added is settled.
  absl::Status Finish();

  const Counts& counts() const { return counts_; }

 private:
  using Reply = absl::StatusOr<v1::MSetResponse>;
  struct Batch {
    v1::MSetRequest request;
    std::vector<uint64_t> lines;
    size_t bytes = 0;
    std::future<Reply> reply;
  };

  // Sends what was gathered.
  absl::Status Send();
  // Waits for the oldest batch that is under way.
  absl::Status SettleOldest();
  // Waits for the answer, and asks again while the server has too much to do.
  Reply AnswerTo(Batch& batch);
  void SettleOne(const v1::SetRequest& entry, uint64_t line,
                 const absl::StatusOr<v1::SetResponse>& outcome);

  Client& client_;
  const std::function<void(uint64_t line, const absl::Status& why)> report_;
  Batch gathered_;
  std::deque<Batch> under_way_;
  // How many entries with a key of this hash are under way. Calls may overtake each other, so an
  // entry waits for earlier ones of its key.
  absl::flat_hash_map<uint64_t, uint32_t> keys_under_way_;
  Counts counts_;
};

}  // namespace ferrite::cli
