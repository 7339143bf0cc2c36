#pragma once

// The newest map that was read. It never goes back, nor does it change its history: each map names
// the tags of those before it, so one that went on from another map than the one that is known here
// is found out, whatever its epoch and generation.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ferrite/internal/v1/cluster_map.pb.h"
#include "server/cluster/cluster_map.h"
#include "server/cluster/core/faults.h"
#include "server/cluster/core/txn.h"

namespace ferrite::cluster {

class MapKeeper {
 public:
  using Map = std::shared_ptr<const internal::v1::ClusterMap>;
  enum class Verdict {
    kSame,        // as it was
    kOutdated,    // an answer that came late
    kNewer,       // a new one, which can be read
    kUnreadable,  // a new one, which cannot: trouble() says why
    kDoubtful,    // no successor of the one that was read before: trouble() says why
  };

  explicit MapKeeper(const Faults& faults, MapReader read = ParseClusterMap)
      : faults_(faults), read_(std::move(read)) {}

  // Looks at what was read by a transaction that was sent when `known_epoch` was known.
  Verdict Take(const MapReading& reading, int64_t known_epoch);

  // Faults::watch_believed: takes it, whatever it is.
  void Believe(const MapReading& reading);

  // Null: there is none, or it cannot be read.
  const Map& map() const { return map_; }
  // Of the newest map, whether or not it can be read; 0: there is none.
  int64_t epoch() const { return epoch_; }
  // Of the newest one that could be read: a reading has to bring the value of any newer one.
  int64_t read_epoch() const { return read_epoch_; }
  // How often a map came of which it is not known whether it goes on from the one before, as too
  // many came in between.
  uint64_t leaps() const { return leaps_; }
  // Of all maps; 0: there was none yet.
  uint64_t cluster_uid() const { return cluster_uid_; }
  const absl::Status& trouble() const { return trouble_; }

 private:
  Verdict Doubt(const std::string& why);
  // Empty if `map`, which has another epoch or may have, can go on from the one that is known.
  std::string Contradiction(const internal::v1::ClusterMap& map) const;
  void Accept(int64_t epoch, Map map);

  const Faults& faults_;
  const MapReader read_;
  Map map_;
  int64_t epoch_ = 0;
  int64_t read_epoch_ = 0;
  uint64_t generation_ = 0;
  uint64_t tag_ = 0;
  uint64_t leaps_ = 0;
  uint64_t cluster_uid_ = 0;
  absl::Status trouble_;
};

}  // namespace ferrite::cluster
