#include "server/handlers/cluster_handlers.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ferrite/v1/cluster.grpc.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "server/call/status.h"
#include "server/handlers/topology.h"
#include "tests/server/node_fixture.h"

namespace ferrite {
namespace {

using cluster::ClusterView;
using cluster::Route;
using cluster::ViewNode;

std::shared_ptr<const ClusterView> ViewOfTwo(int64_t epoch) {
  ClusterView::Nodes nodes = {
      std::make_shared<ViewNode>(ViewNode{"a", 1, "10.0.0.1:6380", "10.0.0.1:7", "west", "1.0"}),
      std::make_shared<ViewNode>(ViewNode{.id = "b", .boot_id = 2})};
  auto view = std::make_shared<ClusterView>(
      ClusterView::Version{.epoch = epoch, .generation = 3, .cluster_uid = 7}, nodes);
  view->Assign(0, 99, {Route::Place::kHere, 0});
  view->Assign(100, 199, {Route::Place::kElsewhere, 1});
  view->Assign(200, 299, {Route::Place::kReleasing, 1});
  view->Assign(300, 399, {Route::Place::kPreparing, 0});
  return view;
}

// A member whose cluster does as the test says.
class ScriptedMember final : public cluster::ClusterMember {
 public:
  ScriptedMember() { published.Publish(ViewOfTwo(5)); }

  const std::string& cluster() const override { return name; }
  const std::string& node_id() const override { return id; }
  uint64_t boot_id() const override { return 1; }
  const cluster::PublishedView& view() const override { return published; }
  const cluster::ServingRight& right() const override { return serving; }
  cluster::MemberStatus status() const override {
    return {.may_serve_ms = 1500, .controller = true, .problems = {"etcd is silent"}};
  }
  uint64_t AddListener(Listener) override { return ++listeners; }
  void RemoveListener(uint64_t) override { --listeners; }
  void Drain(bool undo) override { draining = !undo; }
  absl::StatusOr<std::vector<cluster::PlannedMove>> Rebalance(bool dry_run) override {
    if (!dry_run) return absl::FailedPreconditionError("node b makes the changes");
    return std::vector<cluster::PlannedMove>{{0, 9, "a", "b"}};
  }

  const std::string name = "prod";
  const std::string id = "a";
  cluster::PublishedView published;
  cluster::ServingRight serving;
  uint64_t listeners = 0;
  std::optional<bool> draining;
};

v1::GetTopologyResponse TopologyOf(ClusterHandlers* handlers) {
  struct Nobody final : Caller {
    Clock::time_point deadline() const override { return Clock::time_point::max(); }
    std::string peer() const override { return ""; }
    std::optional<std::string_view> Metadata(std::string_view) const override { return {}; }
  } nobody;
  const Request request;
  ReplyWriter reply;
  Turn turn(request, {}, nobody, &reply, nullptr);
  EXPECT_TRUE(handlers->GetTopology(&turn).ok());
  v1::GetTopologyResponse response;
  EXPECT_TRUE(response.ParseFromString(TakeBytes(&reply)));
  return response;
}

TEST(ClusterHandlers, TellWhatTheViewSays) {
  ScriptedMember member;
  ClusterHandlers handlers(&member);
  const v1::GetTopologyResponse response = TopologyOf(&handlers);
  const v1::Topology& topology = response.topology();
  EXPECT_EQ(topology.cluster(), "prod");
  EXPECT_EQ(topology.epoch(), 5);
  EXPECT_EQ(topology.cluster_uid(), 7u);
  ASSERT_EQ(topology.nodes_size(), 2);
  EXPECT_EQ(topology.nodes(0).node_id(), "a");
  EXPECT_EQ(topology.nodes(0).address(), "10.0.0.1:6380");
  EXPECT_EQ(topology.nodes(0).zone(), "west");
  EXPECT_EQ(topology.nodes(0).slots_owned(), 200u);
  EXPECT_EQ(topology.nodes(1).slots_owned(), 200u);
  ASSERT_EQ(topology.slots_size(), 4);
  const v1::SlotState states[] = {v1::SLOT_STATE_SERVED, v1::SLOT_STATE_SERVED,
                                  v1::SLOT_STATE_RELEASING, v1::SLOT_STATE_PREPARING};
  const uint32_t owners[] = {0, 1, 1, 0};
  for (uint32_t i = 0; i < 4; ++i) {
    const v1::TopologySlots& slots = topology.slots(static_cast<int>(i));
    EXPECT_EQ(slots.first(), i * 100);
    EXPECT_EQ(slots.last(), i * 100 + 99);
    EXPECT_EQ(slots.state(), states[i]);
    EXPECT_EQ(slots.owner(), owners[i]);
  }
  EXPECT_EQ(response.witness().node_id(), "a");
  EXPECT_EQ(response.witness().may_serve_ms(), 1500);
  EXPECT_TRUE(response.witness().controller());
  ASSERT_EQ(response.witness().problems_size(), 1);
  member.published.Publish(ViewOfTwo(6));
  EXPECT_EQ(TopologyOf(&handlers).topology().epoch(), 6);
}

TEST(ClusterHandlers, TheTopologyOf5000NodesFitsIntoTheMessagesOfAnyClient) {
  constexpr uint16_t kNodes = 5000;
  ClusterView::Nodes nodes;
  for (int i = 0; i < kNodes; ++i) {
    const std::string name = "cache-" + std::to_string(i) + ".cache.production.svc.cluster.local";
    nodes.push_back(std::make_shared<ViewNode>(
        ViewNode{name, uint64_t{1} << 63 | static_cast<uint64_t>(i), name + ":6380", name + ":6379",
                 "europe-west1-b", "0.1.0"}));
  }
  auto view = std::make_shared<ClusterView>(
      ClusterView::Version{.epoch = 1 << 30, .generation = 1 << 20, .cluster_uid = ~uint64_t{0}},
      nodes);
  // No slot has the owner of its neighbour.
  for (uint32_t slot = 0; slot < 16384; ++slot) {
    view->Assign(slot, slot, {Route::Place::kElsewhere, static_cast<uint16_t>(slot % kNodes)});
  }
  ScriptedMember member;
  member.published.Publish(std::move(view));
  ClusterHandlers handlers(&member);
  const v1::GetTopologyResponse response = TopologyOf(&handlers);
  EXPECT_EQ(response.topology().nodes_size(), kNodes);
  EXPECT_EQ(response.topology().slots_size(), 16384);
  EXPECT_EQ(response.topology().nodes(4999).slots_owned(), 3u);
  constexpr size_t kDefaultOfGrpc = size_t{4} << 20;
  EXPECT_LT(response.ByteSizeLong(), kDefaultOfGrpc / 2);
}

TEST(ClusterHandlers, CutNoLetterOfALongNameApart) {
  ScriptedMember member;
  ClusterHandlers handlers(&member);
  v1::DrainRequest request;
  request.set_node_id(std::string(127, 'x') + "\u00e9");
  v1::DrainResponse response;
  const absl::Status status = handlers.Drain(request, &response);
  EXPECT_NE(status.message().find(std::string(127, 'x') + '"'), std::string::npos) << status;
}

TEST(ClusterHandlers, DrainTheNodeThatIsMeant) {
  ScriptedMember member;
  ClusterHandlers handlers(&member);
  v1::DrainRequest request;
  v1::DrainResponse response;
  request.set_node_id("b");
  const absl::Status other = handlers.Drain(request, &response);
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(other), v1::OTHER_NODE);
  EXPECT_EQ(ErrorInfoOf(other).metadata().at("node_id"), "a");
  EXPECT_FALSE(member.draining.has_value());
  request.set_node_id("a");
  EXPECT_TRUE(handlers.Drain(request, &response).ok());
  EXPECT_EQ(member.draining, true);
  EXPECT_EQ(response.slots_owned(), 200u);
  request.clear_node_id();
  request.set_undo(true);
  EXPECT_TRUE(handlers.Drain(request, &response).ok());
  EXPECT_EQ(member.draining, false);
}

TEST(ClusterHandlers, TellWhatRebalancingWouldMoveAndWhoDoesIt) {
  ScriptedMember member;
  ClusterHandlers handlers(&member);
  v1::RebalanceRequest request;
  v1::RebalanceResponse response;
  EXPECT_EQ(ReasonOf(handlers.Rebalance(request, &response)), v1::NOT_CONTROLLER);
  request.set_dry_run(true);
  ASSERT_TRUE(handlers.Rebalance(request, &response).ok());
  ASSERT_EQ(response.moves_size(), 1);
  EXPECT_EQ(response.moves(0).last(), 9u);
  EXPECT_EQ(response.moves(0).to_node_id(), "b");
}

TEST(ClusterHandlers, TellWhoTheyAre) {
  ScriptedMember member;
  {
    ClusterHandlers handlers(&member);
    EXPECT_EQ(member.listeners, 1u);
    internal::v1::HelloResponse response;
    EXPECT_TRUE(handlers.Hello({}, &response).ok());
    EXPECT_EQ(response.cluster(), "prod");
    EXPECT_EQ(response.node_id(), "a");
    EXPECT_EQ(response.boot_id(), 1u);
  }
  EXPECT_EQ(member.listeners, 0u);
}

TEST_F(NodeTest, WithoutAClusterServesAllSlots) {
  const auto stub = v1::ClusterService::NewStub(Connect());
  v1::GetTopologyResponse got;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(stub->GetTopology(&context, {}, &got).ok());
  }
  EXPECT_EQ(got.topology().cluster(), "");
  ASSERT_EQ(got.topology().nodes_size(), 1);
  EXPECT_EQ(got.topology().nodes(0).slots_owned(), 16384u);
  ASSERT_EQ(got.topology().slots_size(), 1);
  EXPECT_EQ(got.topology().slots(0).last(), 16383u);
  EXPECT_EQ(got.witness().may_serve_ms(), -1);
  {
    grpc::ClientContext context;
    const auto stream = stub->WatchTopology(&context, {});
    v1::WatchTopologyResponse told;
    ASSERT_TRUE(stream->Read(&told));
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(told.topology(), got.topology()));
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  grpc::ClientContext context;
  v1::DrainResponse drained;
  EXPECT_EQ(stub->Drain(&context, {}, &drained).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(NodeTest, AWatchOfTheTopologyIsToldOfTheEnd) {
  const auto stub = v1::ClusterService::NewStub(Connect());
  grpc::ClientContext context;
  const auto stream = stub->WatchTopology(&context, {});
  v1::WatchTopologyResponse told;
  ASSERT_TRUE(stream->Read(&told));
  Shutdown();
  while (stream->Read(&told)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace ferrite
