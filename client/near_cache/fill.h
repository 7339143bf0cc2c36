#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/callback.h"
#include "client/near_cache/near_entry.h"

namespace ferrite {

// One call to the server for a key that was missed, and the reads that wait for its answer. Belongs
// to the key's shard, whose lock guards the mutable members.
class Fill {
 public:
  // `sent_ns`: not later than the request is sent.
  Fill(std::string_view key, int64_t sent_ns) : key_(key), sent_ns_(sent_ns) {}

  const std::string& key() const { return key_; }
  int64_t sent_ns() const { return sent_ns_; }

 private:
  friend class NearShard;

  const std::string key_;
  const int64_t sent_ns_;
  // Versions below this are known to be overwritten or gone; 0: no such version is known.
  uint64_t floor_ = 0;
  std::vector<Callback<NearEntry>> waiting_;
};

}  // namespace ferrite
