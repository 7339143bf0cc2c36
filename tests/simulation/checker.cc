#include "tests/simulation/checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "proto/slot.h"
#include "server/cluster/cluster_map.h"

namespace ferrite::simulation {

using cluster::SlotSpan;

void Checker::OnMap(const mvccpb::KeyValue& kv) {
  const auto map = cluster::ParseClusterMap(kv.value());
  if (!map.ok())
    return Fail(Broken::kMap,
                "a map was written that is none: " + std::string(map.status().message()));
  if (kv.mod_revision() <= epoch_) Fail(Broken::kMap, "the epoch went back");
  epoch_ = kv.mod_revision();
  if ((*map)->cluster_uid() == cluster_uid_) {
    if ((*map)->generation() != generation_ + 1)
      Fail(Broken::kMap, absl::StrFormat("generation %d of the map follows on %d",
                                         (*map)->generation(), generation_));
    if ((*map)->version_floor() < floor_) Fail(Broken::kMap, "the floor of the map went down");
  }
  cluster_uid_ = (*map)->cluster_uid();
  generation_ = (*map)->generation();
  floor_ = (*map)->version_floor();
}

void Checker::ForgetMap() {
  epoch_ = 0;
  cluster_uid_ = 0;
}

namespace {

struct Served {
  SlotSpan span;
  const std::string* by;
};

std::vector<Served> InOrder(const std::vector<Checker::Server>& serving) {
  std::vector<Served> all;
  for (const Checker::Server& server : serving) {
    for (const SlotSpan& span : *server.spans) all.push_back({span, &server.name});
  }
  std::sort(all.begin(), all.end(),
            [](const Served& a, const Served& b) { return a.span.first < b.span.first; });
  return all;
}

}  // namespace

std::optional<SlotSpan> FirstOverlap(const std::vector<SlotSpan>& a,
                                     const std::vector<SlotSpan>& b) {
  for (auto one = a.begin(), other = b.begin(); one != a.end() && other != b.end();) {
    const SlotSpan common{std::max(one->first, other->first), std::min(one->last, other->last)};
    if (common.first <= common.last) return common;
    one->last < other->last ? ++one : ++other;
  }
  return std::nullopt;
}

void Checker::OnServedTwice(const SlotSpan& span, const std::string& by,
                            const std::string& and_by) {
  Fail(Broken::kServedTwice, absl::StrFormat("slots %d to %d are served by %s and by %s",
                                             span.first, span.last, by, and_by));
}

void Checker::OnEpoch(const std::string& process, int64_t before, int64_t now) {
  if (now < before)
    Fail(Broken::kEpoch, absl::StrFormat("%s goes from epoch %d back to %d", process, before, now));
}

bool Checker::IsWhole(const std::vector<Server>& serving, std::string* missing) {
  uint32_t next = 0;
  for (const Served& served : InOrder(serving)) {
    if (served.span.first > next) break;
    next = std::max(next, served.span.last + 1);
  }
  if (next == kSlotCount) return true;
  *missing = absl::StrFormat("slot %d", next);
  return false;
}

uint64_t Checker::Known(uint32_t slot) const {
  const auto found = known_.find(slot);
  return found == known_.end() ? 0 : found->second;
}

void Checker::OnWritten(uint32_t slot, uint64_t version, uint64_t known_at_start,
                        const std::string& who) {
  ++writes_;
  if (version <= known_at_start)
    Fail(Broken::kVersion, absl::StrFormat("%s writes version %d in slot %d, where %d was known",
                                           who, version, slot, known_at_start));
  known_[slot] = std::max(known_[slot], version);
}

void Checker::OnRead(uint32_t slot, uint64_t version, uint64_t known_at_start,
                     const std::string& who) {
  ++reads_;
  if (version == 0) return;  // a cache may have lost it
  if (version < known_at_start)
    Fail(Broken::kVersion, absl::StrFormat("%s reads version %d in slot %d, where %d was known",
                                           who, version, slot, known_at_start));
  known_[slot] = std::max(known_[slot], version);
}

}  // namespace ferrite::simulation
