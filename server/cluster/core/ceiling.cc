#include "server/cluster/core/ceiling.h"

#include <algorithm>

#include "server/cluster/node_record.h"

namespace ferrite::cluster {

using internal::v1::VersionCeiling;

void Ceiling::Observe(const Moment& now) {
  if (last_.steady_ns != 0) reached_ += (now.steady_ns - last_.steady_ns) / 1000;
  const auto wall_us = static_cast<uint64_t>(std::max<int64_t>(now.wall_us, 0));
  reached_ = std::min(std::max(reached_, wall_us), kMaxVersion - kAheadUs - kGapAfterCrashUs);
  last_ = now;
  due_ns_ = now.steady_ns + (kLimitAheadUs - kLimitRenewAtUs) * 1000 / 2;
}

bool Ceiling::IsMissing() const {
  return cluster_uid_ == 0 || written_.cluster_uid() != cluster_uid_ ||
         written_.ceiling() <= reached_;
}

bool Ceiling::IsDue() const {
  return written_.cluster_uid() != WantedUid() || written_.ceiling() <= reached_ ||
         written_.ceiling() - reached_ < kRenewAtUs;
}

// As long as this process serves nothing, its predecessor may: what that one wrote stays true.
uint64_t Ceiling::WantedUid() const { return cluster_uid_ != 0 ? cluster_uid_ : uid_found_; }

VersionCeiling Ceiling::Next() const {
  VersionCeiling next;
  next.set_ceiling(std::max({reached_ + kAheadUs, written_.ceiling(), highest_found_}));
  next.set_serving_ttl_ms(settings_.serving_ttl_ms);
  // Until those who wait for that one to be over have done so, its longer time counts.
  if (last_.steady_ns - found_ns_ < 2 * int64_t{kMaxServingTtlMs} * kNsPerMs)
    next.set_serving_ttl_ms(std::max(settings_.serving_ttl_ms, ttl_found_ms_));
  next.set_cluster_uid(WantedUid());
  next.set_boot_id(settings_.self.boot_id());
  return next;
}

void Ceiling::Written(const VersionCeiling& ceiling, int64_t revision) {
  if (revision <= revision_) return;
  written_ = ceiling;
  revision_ = revision;
}

void Ceiling::Found(const mvccpb::KeyValue* kv) {
  revision_ = kv == nullptr ? 0 : kv->mod_revision();
  // What this node has written is not there any more as it was, so it has to be written again.
  written_.Clear();
  if (kv == nullptr) return;
  const auto found = ParseVersionCeiling(settings_.self.node_id(), kv->value());
  if (!found.ok()) return;
  highest_found_ = std::max(highest_found_, found->ceiling());
  if (found->cluster_uid() != 0) uid_found_ = found->cluster_uid();
  if (found->boot_id() == settings_.self.boot_id()) return;
  ttl_found_ms_ = found->serving_ttl_ms();
  found_ns_ = last_.steady_ns;
}

std::optional<uint64_t> Ceiling::RaiseLimit() {
  const uint64_t limit = std::min(reached_ + kLimitAheadUs, written_.ceiling());
  if (limit <= limit_ || limit - limit_ < kLimitAheadUs - kLimitRenewAtUs) return std::nullopt;
  limit_ = limit;
  return limit;
}

}  // namespace ferrite::cluster
