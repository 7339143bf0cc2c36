#pragma once

// Cores and an etcd that answers, and tells of changes, at once: in one thread, by a clock that
// tests move.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/cluster/cluster_map.h"
#include "server/cluster/core/core.h"
#include "tests/simulation/sim_etcd.h"

namespace ferrite::cluster {

// A core, and what it has asked for.
struct TestNode {
  std::unique_ptr<Core> core;
  std::shared_ptr<const ClusterView> view = std::make_shared<ClusterView>();
  int64_t right_end_ns = 0;
  uint64_t floor = 0;
  uint64_t limit = 0;
  bool drained = false;
  std::vector<Drop> drops;                  // not done yet
  std::map<Problem, std::string> problems;  // that there are
  std::deque<AskEtcd> calls;                // not answered yet
  bool cut_off = false;                     // nothing of it is answered
  int64_t wall_offset_us = 0;

  size_t Slots(Route::Place place) const {
    size_t slots = 0;
    for (uint32_t slot = 0; slot < kSlotCount; ++slot) slots += view->route(slot).place == place;
    return slots;
  }
};

class CoreFixture : public ::testing::Test {
 protected:
  static constexpr int64_t kSecond = 1'000'000'000;
  static constexpr uint32_t kTtlMs = 4000;

  CoreFixture() {
    etcd_.Listen([this](const mvccpb::Event& event) { told_.push_back(event); });
  }

  TestNode& Start(const std::string& id, const Faults& faults = {}) {
    CoreSettings settings;
    settings.cluster = "test";
    settings.self.set_node_id(id);
    settings.self.set_boot_id(++boots_);
    settings.self.set_address(id + ":1");
    settings.serving_ttl_ms = kTtlMs;
    settings.random_seed = boots_;
    settings.faults = faults;
    auto& node = nodes_[id];
    node = std::make_unique<TestNode>();
    node->core = std::make_unique<Core>(settings);
    Step(node.get(), Tick{});
    return *node;
  }
  void End(const std::string& id) { nodes_.erase(id); }

  void Step(TestNode* node, const Event& event) {
    Actions actions;
    node->core->Step(
        event, {.steady_ns = now_ns_, .wall_us = now_ns_ / 1000 + node->wall_offset_us}, &actions);
    for (Action& action : actions) Take(node, &action);
  }

  // Lets time go by: etcd answers, and ticks come when they are due.
  void Run(double seconds) {
    const int64_t end_ns = now_ns_ + static_cast<int64_t>(seconds * kSecond);
    while (true) {
      AnswerAll();
      int64_t next_ns = end_ns;
      for (auto& [id, node] : nodes_) next_ns = std::min(next_ns, node->core->next_wakeup_ns());
      now_ns_ = std::max(now_ns_, next_ns);
      etcd_.Expire(now_ns_);
      if (now_ns_ >= end_ns) break;
      for (auto& [id, node] : nodes_) {
        if (node->core->next_wakeup_ns() <= now_ns_) Step(node.get(), Tick{});
      }
    }
    AnswerAll();
  }

  EtcdReply Execute(const AskEtcd& call) {
    EtcdReply reply{.call = call.id, .outcome = EtcdReply::Outcome::kAnswered};
    const bool done =
        std::visit([&](const auto& request) { return Ask(request, &reply); }, call.request);
    if (!done) reply = {.call = call.id, .outcome = EtcdReply::Outcome::kNotExecuted};
    return reply;
  }

  internal::v1::ClusterMap Map() {
    const auto* kv = etcd_.Find(keys_.map());
    if (kv == nullptr) return {};
    const auto map = ParseClusterMap(kv->value());
    EXPECT_TRUE(map.ok()) << map.status();
    return map.ok() ? **map : internal::v1::ClusterMap();
  }
  bool Serves(const TestNode& node) const { return node.right_end_ns > now_ns_; }

  const Keys keys_{"test"};
  simulation::SimEtcd etcd_;
  std::map<std::string, std::unique_ptr<TestNode>> nodes_;
  int64_t now_ns_ = 1000 * kSecond;
  uint64_t boots_ = 0;

 private:
  void AnswerAll() {
    for (bool any = true; any;) {
      any = !told_.empty();
      for (const mvccpb::Event& event : std::exchange(told_, {})) {
        for (auto& [id, node] : nodes_) {
          if (!node->cut_off) Step(node.get(), WatchHint{event});
        }
      }
      for (auto& [id, node] : nodes_) {
        if (node->calls.empty()) continue;
        any = true;
        const AskEtcd call = std::move(node->calls.front());
        node->calls.pop_front();
        Step(node.get(), node->cut_off ? EtcdReply{.call = call.id} : Execute(call));
      }
    }
  }

  bool Ask(const etcdserverpb::TxnRequest& request, EtcdReply* reply) {
    return etcd_.Txn(request, &reply->response.emplace<etcdserverpb::TxnResponse>());
  }
  bool Ask(const etcdserverpb::LeaseGrantRequest& request, EtcdReply* reply) {
    return etcd_.Grant(request, now_ns_,
                       &reply->response.emplace<etcdserverpb::LeaseGrantResponse>());
  }
  bool Ask(const etcdserverpb::LeaseKeepAliveRequest& request, EtcdReply* reply) {
    return etcd_.KeepAlive(request, now_ns_,
                           &reply->response.emplace<etcdserverpb::LeaseKeepAliveResponse>());
  }
  bool Ask(const etcdserverpb::LeaseRevokeRequest& request, EtcdReply* reply) {
    return etcd_.Revoke(request, &reply->response.emplace<etcdserverpb::LeaseRevokeResponse>());
  }

  void Take(TestNode* node, Action* action) {
    if (auto* call = std::get_if<AskEtcd>(action)) node->calls.push_back(std::move(*call));
    if (auto* drop = std::get_if<Drop>(action)) node->drops.push_back(std::move(*drop));
    if (auto* raise = std::get_if<RaiseFloor>(action)) node->floor = raise->version;
    if (auto* limit = std::get_if<LimitVersions>(action)) node->limit = limit->version;
    if (std::get_if<Drained>(action) != nullptr) node->drained = true;
    if (auto* serve = std::get_if<Serve>(action)) {
      if (serve->view != nullptr) node->view = serve->view;
      node->right_end_ns = serve->right_end_ns;
    }
    if (auto* report = std::get_if<Report>(action)) {
      node->problems.erase(report->problem);
      if (!report->text.empty()) node->problems[report->problem] = report->text;
    }
  }

  std::vector<mvccpb::Event> told_;  // to nobody yet
};

}  // namespace ferrite::cluster
