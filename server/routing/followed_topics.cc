#include "server/routing/followed_topics.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/slot.h"

namespace ferrite {
namespace {

using cluster::ClusterView;
using cluster::Route;

std::vector<uint32_t> SlotsOf(const v1::SubscribeRequest& request) {
  std::vector<uint32_t> slots;
  for (const std::string& channel : request.channels()) slots.push_back(SlotOf(channel));
  for (const std::string& key : request.keys()) slots.push_back(SlotOf(key));
  return slots;
}

// The plans of one view, by the places of their nodes in it.
class Plans {
 public:
  Plans(const ClusterView& view, SubscriptionPlan* plan) : view_(view), plan_(*plan) {}

  // That of the node that serves the slot; null if nobody does.
  NodePlan* OfSlot(uint32_t slot) {
    const Route route = view_.route(slot);
    const Way way = WayOf(view_, route, /*may_serve=*/true, /*may_forward=*/true);
    if (way == Way::kServe || way == Way::kForward) return Of(route);
    Miss(slot, way);
    return nullptr;
  }
  NodePlan* Of(Route route) {
    NodePlan& plan = plans_[route.node];
    if (plan.node == nullptr) {
      plan.node = view_.nodes()[route.node];
      plan.id = plan.node->id;
      plan.here = route.place == Route::Place::kHere;
    }
    return &plan;
  }
  void Miss(uint32_t slot, Way why) {
    if (!plan_.whole()) return;
    plan_.unserved = slot;
    plan_.why = why;
  }

  void Finish() {
    for (auto& [index, plan] : plans_) plan_.nodes.push_back(std::move(plan));
    std::sort(plan_.nodes.begin(), plan_.nodes.end(),
              [](const NodePlan& a, const NodePlan& b) { return a.id < b.id; });
  }
  std::map<uint16_t, NodePlan>* plans() { return &plans_; }

 private:
  const ClusterView& view_;
  SubscriptionPlan& plan_;
  std::map<uint16_t, NodePlan> plans_;
};

// A channel that only those use who follow `probes`, and whose slot that node serves: always the
// same one as long as it does, so that a stream with it can be resumed. It serves one at least.
std::string MarkerAt(const NodePlan& plan, uint16_t index, const std::string& probes,
                     const ClusterView& view) {
  thread_local std::vector<uint16_t> slots;  // of {0}, {1} and so on, as far as they were needed
  const Route wanted = {plan.here ? Route::Place::kHere : Route::Place::kElsewhere, index};
  for (size_t number = 0;; ++number) {
    if (number == slots.size()) {
      slots.push_back(static_cast<uint16_t>(SlotOf(absl::StrCat("{", number, "}"))));
    }
    if (view.route(slots[number]) == wanted) {
      return absl::StrCat(absl::string_view("\0{", 2), number, "}", probes);
    }
  }
}

}  // namespace

bool NodePlan::SameAs(const NodePlan& other) const {
  return id == other.id && here == other.here && node->boot_id == other.node->boot_id &&
         node->internal_address == other.node->internal_address && share.mark == other.share.mark &&
         channels == other.channels && keys == other.keys && marker == other.marker;
}

FollowedTopics::FollowedTopics(v1::SubscribeRequest request)
    : request_(std::move(request)),
      slots_(SlotsOf(request_)),
      everywhere_(request_.channel_globs_size() + request_.key_prefixes_size() > 0) {}

SubscriptionPlan FollowedTopics::PlanFor(const ClusterView& view, const NodeShares& shares) const {
  SubscriptionPlan plan = {.generation = view.version().generation, .unserved = kSlotCount};
  Plans plans(view, &plan);
  const int channels = request_.channels_size();
  for (int i = 0; i < static_cast<int>(slots_.size()); ++i) {
    const uint32_t slot = slots_[static_cast<size_t>(i)];
    NodePlan* const node = plans.OfSlot(slot);
    if (node == nullptr) continue;
    i < channels ? node->channels.push_back(i) : node->keys.push_back(i - channels);
    if (!everywhere_) node->share.Add(slot, view.owned_since(slot));
  }
  if (everywhere_) {
    if (shares.unserved != kSlotCount) plans.OfSlot(shares.unserved);
    if (shares.here.slots > 0) {
      plans.Of({Route::Place::kHere, shares.here_node})->share = shares.here;
    }
    for (size_t i = 0; i < shares.elsewhere.size(); ++i) {
      if (shares.elsewhere[i].slots == 0) continue;
      plans.Of({Route::Place::kElsewhere, static_cast<uint16_t>(i)})->share = shares.elsewhere[i];
    }
  }
  if (const std::string& probes = request_.probe_channel(); !probes.empty()) {
    const Route of_probes = view.route(SlotOf(probes));
    for (auto& [index, node] : *plans.plans()) {
      if (index == of_probes.node) continue;  // they say themselves how far it has told
      node.marker = MarkerAt(node, index, probes, view);
      const uint32_t slot = SlotOf(node.marker);
      if (!everywhere_) node.share.Add(slot, view.owned_since(slot));
    }
  }
  plans.Finish();
  return plan;
}

v1::SubscribeRequest FollowedTopics::RequestTo(const NodePlan& node) const {
  v1::SubscribeRequest request = request_;
  request.clear_channels();
  request.clear_keys();
  request.clear_resume_token();
  request.clear_probe_channel();
  for (const int channel : node.channels) request.add_channels(request_.channels(channel));
  for (const int key : node.keys) request.add_keys(request_.keys(key));
  if (!node.marker.empty()) request.add_channels(node.marker);
  return request;
}

NodeShare FollowedTopics::ShareHere(const ClusterView& view, const NodeShares& shares) const {
  if (everywhere_) return shares.here;
  NodeShare share;
  for (const uint32_t slot : slots_) {
    if (view.route(slot).place == Route::Place::kHere) share.Add(slot, view.owned_since(slot));
  }
  return share;
}

}  // namespace ferrite
