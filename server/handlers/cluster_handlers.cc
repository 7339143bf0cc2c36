#include "server/handlers/cluster_handlers.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/beginning.h"
#include "server/call/status.h"
#include "server/handlers/topology.h"

namespace ferrite {
namespace {

// The fields of both messages have the same numbers, which is what lets them share their bytes.
using Got = v1::GetTopologyResponse;
using Watched = v1::WatchTopologyResponse;
static_assert(int{Got::kTopologyFieldNumber} == int{Watched::kTopologyFieldNumber});
static_assert(int{Got::kWitnessFieldNumber} == int{Watched::kWitnessFieldNumber});

constexpr int64_t kForEver = -1;

absl::Status NoCluster() {
  return MakeError(absl::StatusCode::kFailedPrecondition, v1::NO_CLUSTER,
                   "this node is part of no cluster: it was started without --cluster-name");
}

}  // namespace

// Sends the topology, whenever it is not the one that it sent last.
class ClusterHandlers::Watcher final : public Answer {
 public:
  Watcher(ClusterHandlers* handlers, const Waker& waker) : handlers_(*handlers) {
    MutexLock lock(&handlers_.mutex_);
    number_ = ++handlers_.last_watcher_;
    handlers_.watchers_.emplace(number_, waker);
  }
  ~Watcher() override {
    MutexLock lock(&handlers_.mutex_);
    handlers_.watchers_.erase(number_);
  }

  Next Advance(ReplyWriter* message, CallEnd*) override {
    if (told_ == handlers_.ViewCount()) return Next::kWait;
    const auto told = handlers_.Tell();
    told_ = told->count;
    handlers_.Write(told, message);
    return Next::kMessage;
  }

 private:
  ClusterHandlers& handlers_;
  uint64_t number_;
  std::optional<uint64_t> told_;
};

ClusterHandlers::ClusterHandlers(cluster::ClusterMember* member) : member_(member) {
  if (member_ == nullptr) return;
  listener_ = member_->AddListener([this] {
    MutexLock lock(&mutex_);
    for (const auto& [number, waker] : watchers_) waker.Wake();
  });
}

ClusterHandlers::~ClusterHandlers() {
  if (member_ != nullptr) member_->RemoveListener(listener_);
}

uint64_t ClusterHandlers::ViewCount() const {
  return member_ == nullptr ? 0 : member_->view().count();
}

std::shared_ptr<const ClusterHandlers::Told> ClusterHandlers::Tell() {
  MutexLock lock(&mutex_);
  // Asked first: a view that comes in between is then told again.
  const uint64_t count = ViewCount();
  if (told_ == nullptr || told_->count != count) told_ = Describe(count);
  return told_;
}

std::shared_ptr<const ClusterHandlers::Told> ClusterHandlers::Describe(uint64_t count) const {
  auto told = std::make_shared<Told>();
  told->count = count;
  v1::GetTopologyResponse response;
  v1::Topology* const topology = response.mutable_topology();
  if (member_ == nullptr) {
    DescribeLoneNode(FERRITE_VERSION, topology);
  } else {
    topology->set_cluster(member_->cluster());
    DescribeView(*member_->view().Get(), topology);
  }
  response.SerializeToString(&told->response);
  told->topology = std::move(*topology);
  return told;
}

void ClusterHandlers::Write(const std::shared_ptr<const Told>& told, ReplyWriter* message) const {
  message->AppendShared(told->response, told);
  v1::GetTopologyResponse rest;
  v1::TopologyWitness* const witness = rest.mutable_witness();
  if (member_ == nullptr) {
    witness->set_may_serve_ms(kForEver);
  } else {
    const cluster::MemberStatus status = member_->status();
    witness->set_node_id(member_->node_id());
    witness->set_may_serve_ms(status.may_serve_ms);
    witness->set_controller(status.controller);
    for (const std::string& problem : status.problems) witness->add_problems(problem);
  }
  // Messages that follow each other are read as one that has the fields of both.
  message->AppendMessage(rest);
}

absl::Status ClusterHandlers::GetTopology(Turn* turn) {
  v1::GetTopologyRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("GetTopologyRequest");
  Write(Tell(), turn->reply());
  return absl::OkStatus();
}

absl::Status ClusterHandlers::WatchTopology(Turn* turn) {
  v1::WatchTopologyRequest request;
  if (!turn->request().ParseInto(&request)) return Malformed("WatchTopologyRequest");
  turn->Later(std::make_unique<Watcher>(this, turn->waker()));
  return absl::OkStatus();
}

uint32_t ClusterHandlers::SlotsOwned() {
  for (const v1::TopologyNode& node : Tell()->topology.nodes())
    if (node.node_id() == member_->node_id() && node.boot_id() == member_->boot_id())
      return node.slots_owned();
  return 0;
}

absl::Status ClusterHandlers::Drain(const v1::DrainRequest& request, v1::DrainResponse* response) {
  if (member_ == nullptr) return NoCluster();
  const std::string& own = member_->node_id();
  if (!request.node_id().empty() && request.node_id() != own) {
    constexpr size_t kMostToldBytes = 128;
    std::string address;
    for (const v1::TopologyNode& node : Tell()->topology.nodes())
      if (node.node_id() == request.node_id()) address = node.address();
    return MakeError(absl::StatusCode::kFailedPrecondition, v1::OTHER_NODE,
                     absl::StrCat("this is node ", own, ", not \"",
                                  std::string(Beginning(request.node_id(), kMostToldBytes)), "\""),
                     {{"node_id", own}, {"address", address}});
  }
  member_->Drain(request.undo());
  response->set_slots_owned(SlotsOwned());
  return absl::OkStatus();
}

absl::Status ClusterHandlers::Rebalance(const v1::RebalanceRequest& request,
                                        v1::RebalanceResponse* response) {
  if (member_ == nullptr) return NoCluster();
  const auto moves = member_->Rebalance(request.dry_run());
  if (!moves.ok()) {
    const bool other = moves.status().code() == absl::StatusCode::kFailedPrecondition;
    return MakeError(moves.status().code(), other ? v1::NOT_CONTROLLER : v1::TOPOLOGY_UNKNOWN,
                     std::string(moves.status().message()));
  }
  for (const cluster::PlannedMove& move : *moves) {
    v1::SlotMove* const told = response->add_moves();
    told->set_first(move.first);
    told->set_last(move.last);
    told->set_from_node_id(move.from);
    told->set_to_node_id(move.to);
  }
  return absl::OkStatus();
}

absl::Status ClusterHandlers::Hello(const internal::v1::HelloRequest&,
                                    internal::v1::HelloResponse* response) {
  response->set_version(FERRITE_VERSION);
  if (member_ == nullptr) return absl::OkStatus();
  response->set_cluster(member_->cluster());
  response->set_node_id(member_->node_id());
  response->set_boot_id(member_->boot_id());
  return absl::OkStatus();
}

}  // namespace ferrite
