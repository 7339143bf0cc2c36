#pragma once

// What must hold at any time, whatever happens.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "etcd/kv.pb.h"
#include "server/cluster/core/action.h"

namespace ferrite::simulation {

enum class Broken {
  kMap,           // it does not follow on the one before, or is none
  kServedTwice,   // a slot, by two nodes
  kEpoch,         // a node went back to an older map
  kVersion,       // of a key, which went back
  kAvailability,  // slots are not served, although they could be
};

// What two processes have in common, the first of it; both are in order.
std::optional<cluster::SlotSpan> FirstOverlap(const std::vector<cluster::SlotSpan>& a,
                                              const std::vector<cluster::SlotSpan>& b);

// The first thing that did not hold is kept.
class Checker {
 public:
  // ---- The map as it is written: it covers each slot once, its generation goes up one by one, its
  // floor and its epoch never go down.
  void OnMap(const mvccpb::KeyValue& kv);
  // An operator has put etcd back to where it was, or made another map.
  void ForgetMap();

  // ---- Who serves. No slot is served twice.
  struct Server {
    std::string name;
    const std::vector<cluster::SlotSpan>* spans;
  };
  void OnServedTwice(const cluster::SlotSpan& span, const std::string& by,
                     const std::string& and_by);
  // The epochs that a process serves by only grow.
  void OnEpoch(const std::string& process, int64_t before, int64_t now);
  // All slots are served; if not, what is missing is told.
  static bool IsWhole(const std::vector<Server>& serving, std::string* missing);

  // ---- Versions of the key in each slot, as clients see them: no call gives one that is lower
  // than what another has given before this one began, and no two writes give the same. What a call
  // that begins now may not go below.
  uint64_t Known(uint32_t slot) const;
  void OnWritten(uint32_t slot, uint64_t version, uint64_t known_at_start, const std::string& who);
  void OnRead(uint32_t slot, uint64_t version, uint64_t known_at_start, const std::string& who);
  void ForgetVersions() { known_.clear(); }

  void Fail(Broken kind, std::string what) {
    if (violation_) return;
    violation_ = std::move(what);
    kind_ = kind;
  }
  Broken kind() const { return kind_; }  // of the violation, if there is one
  const std::optional<std::string>& violation() const { return violation_; }
  uint64_t writes() const { return writes_; }
  uint64_t reads() const { return reads_; }

 private:
  int64_t epoch_ = 0;
  uint64_t generation_ = 0;
  uint64_t floor_ = 0;
  uint64_t cluster_uid_ = 0;
  std::map<uint32_t, uint64_t> known_;
  uint64_t writes_ = 0;
  uint64_t reads_ = 0;
  std::optional<std::string> violation_;
  Broken kind_ = Broken::kMap;
};

}  // namespace ferrite::simulation
