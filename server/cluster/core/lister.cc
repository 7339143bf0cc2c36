#include "server/cluster/core/lister.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "server/cluster/node_record.h"

namespace ferrite::cluster {

using etcdserverpb::RangeResponse;
using etcdserverpb::TxnResponse;

namespace {

// The operations of a listing, behind the reading of the map.
constexpr int kNodesAt = 2;
constexpr int kControllerAt = 3;
constexpr int kCeilingsAt = 4;

constexpr int64_t kIntervalNs = 3'000'000'000;
constexpr int64_t kIntervalPerNodeNs = 5'000'000;
// Between two listings that hints ask for.
constexpr int64_t kGapNs = 20'000'000;
constexpr int64_t kGapPerNodeNs = 1'000'000;
constexpr int64_t kGapPerIdleNodeNs = 3'000'000;
// What is no difference of clocks: the time that a record is under way, and more.
constexpr int64_t kClockToleranceUs = 30 * kUsPerSecond;

}  // namespace

void Lister::Advance(const Moment& now, bool with_ceilings, int64_t read_epoch, Calls* calls,
                     Jitter* jitter) {
  if (now.steady_ns < due_ns()) return;
  etcdserverpb::TxnRequest request;
  AddMapReading(keys_.map(), read_epoch, &request, /*success=*/true);
  *request.add_success() = List(keys_.nodes(), ask_all_ ? 0 : listing_.revision + 1);
  *request.add_success() = Get(keys_.controller());
  if (with_ceilings) *request.add_success() = List(keys_.ceilings());
  asked_all_ = ask_all_;
  asked_with_distrust_ = distrusts_;
  asked_ceilings_ = with_ceilings;
  call_ = calls->Send(Purpose::kList, std::move(request));
  last_ns_ = now.steady_ns;
  asked_wall_us_ = now.wall_us;
  const auto nodes = static_cast<int64_t>(listing_.nodes.size());
  due_ns_ =
      now.steady_ns + (kIntervalNs + nodes * kIntervalPerNodeNs) * jitter->Between(75, 125) / 100;
}

void Lister::OnHint(const WatchHint& hint, const Moment& now, int64_t epoch, bool acts) {
  const std::string_view key = hint.event.kv().key();
  const int64_t revision = hint.event.kv().mod_revision();
  if (key == keys_.map()) {
    if (revision > epoch) Hasten(now.steady_ns);
    return;
  }
  // Others than the controller only have to know who there is.
  const bool is_new =
      hint.event.type() == mvccpb::Event::DELETE || hint.event.kv().create_revision() == revision;
  const bool of_interest =
      (key.starts_with(keys_.nodes()) && (acts || is_new)) || key == keys_.controller();
  if (!key.empty() && (!of_interest || revision <= listing_.revision)) return;
  // Where many nodes come and go at once, one listing is to tell of many.
  const auto nodes = static_cast<int64_t>(listing_.nodes.size());
  const int64_t gap_ns = kGapNs + nodes * (acts ? kGapPerNodeNs : kGapPerIdleNodeNs);
  Hasten(std::max(now.steady_ns, last_ns_ + gap_ns));
}

void Lister::OnNoAnswer(const EtcdReply& reply, const Moment& now, Jitter* jitter) {
  if (!Expects(reply.call)) return;
  call_ = 0;
  Hasten(now.steady_ns + jitter->RetryDelayNs());
}

Lister::Finding Lister::OnList(const EtcdReply& reply, const MapReading& reading, const Moment& now,
                               Jitter* jitter) {
  const auto* response = std::get_if<TxnResponse>(&reply.response);
  const RangeResponse* nodes = ListAt(*response, kNodesAt, keys_.nodes());
  const Gotten controller = GetAt(*response, kControllerAt, keys_.controller());
  const RangeResponse* ceilings =
      asked_ceilings_ ? ListAt(*response, kCeilingsAt, keys_.ceilings()) : nullptr;
  const bool ceilings_lack =
      asked_ceilings_ && (ceilings == nullptr || ceilings->count() != ceilings->kvs_size());
  if (nodes == nullptr || !controller.valid || ceilings_lack) {
    OnNoAnswer(reply, now, jitter);
    return Finding::kNothing;
  }
  call_ = 0;
  TakeNodes(*nodes, now);
  distrusts_ = false;
  ask_all_ = static_cast<int64_t>(listing_.nodes.size()) != nodes->count();
  if (ask_all_) {
    Hasten(now.steady_ns);
    return Finding::kPartial;
  }
  // What cannot be read may have been spoilt on its way.
  if (!trouble_.empty()) DistrustAll();
  last_wall_us_ = asked_wall_us_;
  listing_.revision = response->header().revision();
  listing_.map_epoch = reading.epoch;
  listing_.controller = {};
  if (controller.kv != nullptr) {
    const auto record = ParseControllerRecord(controller.kv->value());
    listing_.controller = {.create_revision = controller.kv->create_revision(),
                           .boot_id = record.ok() ? record->boot_id() : 0};
  }
  listing_.has_ceilings = asked_ceilings_;
  listing_.ceilings.clear();
  if (asked_ceilings_) TakeCeilings(*ceilings);
  return Finding::kComplete;
}

// A record that was not there when it was listed before was written since. `written_at_us` can be
// anything.
int64_t Lister::ClockAheadUs(int64_t written_at_us, const Moment& now) const {
  if (asked_all_ || written_at_us <= 0) return 0;
  const double ahead = static_cast<double>(written_at_us) - static_cast<double>(now.wall_us);
  const double behind = static_cast<double>(last_wall_us_) - static_cast<double>(written_at_us);
  if (ahead > kClockToleranceUs) return static_cast<int64_t>(ahead);
  if (behind > kClockToleranceUs) return -static_cast<int64_t>(behind);
  return 0;
}

void Lister::LookAtClocks() {
  wrong_clock_.clear();
  clock_ahead_us_ = 0;
  for (const auto& [id, listed] : listing_.nodes) {
    if (std::abs(listed.clock_ahead_us) <= std::abs(clock_ahead_us_)) continue;
    clock_ahead_us_ = listed.clock_ahead_us;
    wrong_clock_ = absl::StrFormat("the wall clock of node %s is %d s %s that of this node", id,
                                   std::abs(clock_ahead_us_) / kUsPerSecond,
                                   clock_ahead_us_ > 0 ? "ahead of" : "behind");
  }
}

void Lister::TakeNodes(const RangeResponse& range, const Moment& now) {
  nodes_changed_ = false;
  std::map<std::string, ListedNode> before;
  if (asked_all_) {
    before = std::exchange(listing_.nodes, {});
    trouble_.clear();
    nodes_changed_ = static_cast<int>(before.size()) != range.kvs_size();
  }
  for (const mvccpb::KeyValue& kv : range.kvs()) {
    const std::string id = kv.key().substr(keys_.nodes().size());
    auto& known = asked_all_ ? before : listing_.nodes;
    const auto found = known.find(id);
    if (asked_all_ && found != known.end() && IsKnown(found->second, kv)) {
      listing_.nodes.insert(listing_.nodes.end(), known.extract(found));
      continue;
    }
    ListedNode listed = NodeOf(id, kv, now);
    const auto node = found == known.end() ? nullptr : found->second.node;
    if (node != nullptr && listed.node != nullptr && *node == *listed.node) {
      listed.node = node;  // views go on to share it
    } else {
      nodes_changed_ = true;
    }
    listing_.nodes[id] = std::move(listed);
  }
  if (asked_all_ || range.kvs_size() > 0) LookAtClocks();
}

bool Lister::IsKnown(const ListedNode& known, const mvccpb::KeyValue& kv) const {
  return !asked_with_distrust_ && known.node != nullptr &&
         known.create_revision == kv.create_revision() && known.mod_revision == kv.mod_revision();
}

ListedNode Lister::NodeOf(const std::string& id, const mvccpb::KeyValue& kv, const Moment& now) {
  ListedNode listed{.create_revision = kv.create_revision(), .mod_revision = kv.mod_revision()};
  const auto record = ParseNodeRecord(id, kv.value());
  if (!record.ok()) {
    trouble_ = std::string(record.status().message());
    return listed;
  }
  auto node = std::make_shared<ViewNode>();
  node->id = id;
  node->boot_id = record->boot_id();
  node->address = record->address();
  node->internal_address =
      record->internal_address().empty() ? record->address() : record->internal_address();
  node->zone = record->zone();
  node->version = record->version();
  node->draining = record->draining();
  listed.node = std::move(node);
  listed.released_generation = record->released_generation();
  listed.released_version = record->released_version();
  listed.clock_ahead_us = ClockAheadUs(record->written_at_unix_us(), now);
  return listed;
}

void Lister::TakeCeilings(const RangeResponse& range) {
  for (const mvccpb::KeyValue& kv : range.kvs()) {
    const std::string id = kv.key().substr(keys_.ceilings().size());
    ListedCeiling& listed = listing_.ceilings[id];
    listed.mod_revision = kv.mod_revision();
    if (auto value = ParseVersionCeiling(id, kv.value()); value.ok())
      listed.value = *std::move(value);
  }
}

}  // namespace ferrite::cluster
