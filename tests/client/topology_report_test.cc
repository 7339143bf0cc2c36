// What `ferrite cluster` tells.

#include "client/cli/cluster/topology_report.h"

#include <gmock/gmock.h>

namespace ferrite::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

v1::GetTopologyResponse Topology() {
  v1::GetTopologyResponse response;
  v1::Topology& topology = *response.mutable_topology();
  topology.set_cluster("prod");
  topology.set_epoch(17);
  const auto add_node = [&](const char* id, const char* address, uint32_t slots) {
    v1::TopologyNode* node = topology.add_nodes();
    node->set_node_id(id);
    node->set_address(address);
    node->set_version("0.1.0");
    node->set_slots_owned(slots);
    return node;
  };
  add_node("n-1", "10.0.0.1:6380", 8192);
  add_node("n-2", "10.0.0.2:6380", 4096)->set_draining(true);
  add_node("n-3", "", 2048);
  const auto add_slots = [&](uint32_t first, uint32_t last, uint32_t owner, v1::SlotState state) {
    v1::TopologySlots* slots = topology.add_slots();
    slots->set_first(first);
    slots->set_last(last);
    slots->set_owner(owner);
    slots->set_state(state);
  };
  add_slots(0, 8191, 0, v1::SLOT_STATE_SERVED);
  add_slots(8192, 12287, 1, v1::SLOT_STATE_RELEASING);
  add_slots(12288, 14335, 2, v1::SLOT_STATE_SERVED);
  response.mutable_witness()->set_node_id("n-1");
  response.mutable_witness()->set_may_serve_ms(1800);
  return response;
}

TEST(TopologyReportTest, DrawsNodesAndSlots) {
  const std::string text = RenderTopology("host:1", Topology(), 28, /*color=*/false);
  EXPECT_THAT(text, HasSubstr("cluster prod, epoch 17, as n-1 (host:1) sees it\n"));
  EXPECT_THAT(text, HasSubstr("\nA  n-1   10.0.0.1:6380  0.1.0    8,192\n"));
  EXPECT_THAT(text, HasSubstr("\nB  n-2   10.0.0.2:6380  0.1.0    4,096  drains\n"));
  EXPECT_THAT(text, HasSubstr("\nC  n-3                  0.1.0    2,048  gone\n"));
  EXPECT_THAT(text, HasSubstr("\n0 AAAAAAAA~~~~CC.. 16383\n"));
  EXPECT_THAT(text, HasSubstr("2,048 slots have no owner"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(RenderTopology("host:1", Topology(), 28, /*color=*/true), HasSubstr("\x1b[36mA"));
}

TEST(TopologyReportTest, OneSlotThatIsWrongShowsInTheBar) {
  v1::GetTopologyResponse response = Topology();
  response.mutable_topology()->clear_slots();
  v1::TopologySlots* slots = response.mutable_topology()->add_slots();
  slots->set_last(100);
  slots->set_state(v1::SLOT_STATE_SERVED);
  slots = response.mutable_topology()->add_slots();
  slots->set_first(102);
  slots->set_last(16383);
  slots->set_state(v1::SLOT_STATE_SERVED);
  EXPECT_THAT(RenderTopology("host:1", response, 28, false), HasSubstr("0 .AAAAAAAAAAAAAAA 16383"));
}

TEST(TopologyReportTest, NamesWhatIsWrong) {
  v1::GetTopologyResponse response = Topology();
  response.mutable_witness()->set_may_serve_ms(0);
  response.mutable_witness()->add_problems("etcd silent: for 3 s\x1b[0m");
  EXPECT_THAT(RenderTopology("host:1", response, 80, false),
              AllOf(HasSubstr("n-1 may serve nothing"), HasSubstr("! etcd silent: for 3 s\\x1b")));
}

TEST(TopologyReportTest, ANodeAloneServesAll) {
  v1::GetTopologyResponse response;
  response.mutable_topology()->add_nodes()->set_slots_owned(16384);
  v1::TopologySlots* slots = response.mutable_topology()->add_slots();
  slots->set_last(16383);
  slots->set_state(v1::SLOT_STATE_SERVED);
  response.mutable_witness()->set_may_serve_ms(-1);
  EXPECT_THAT(RenderTopology("host:1", response, 28, false),
              AllOf(HasSubstr("host:1 is part of no cluster and serves all slots"),
                    HasSubstr("0 AAAAAAAAAAAAAAAA 16383"), Not(HasSubstr("gone"))));
}

TEST(TopologyReportTest, SurvivesWhatCannotBe) {
  v1::GetTopologyResponse response = Topology();
  for (v1::TopologySlots& slots : *response.mutable_topology()->mutable_slots()) {
    slots.set_owner(77);
    slots.set_last(0xffffffff);
  }
  RenderTopology("host:1", response, -5, true);
  EXPECT_EQ(TopologyJson(response)["slots"][0]["owner"], "");
}

TEST(TopologyReportTest, TellsEverythingToPrograms) {
  const auto json = TopologyJson(Topology());
  EXPECT_EQ(json["epoch"], 17);
  EXPECT_EQ(json["slots_owned"], 14336);
  EXPECT_EQ(json["nodes"][1]["draining"], true);
  EXPECT_EQ(json["slots"][1]["owner"], "n-2");
  EXPECT_EQ(json["slots"][1]["state"], "releasing");
  EXPECT_EQ(json["witness"]["may_serve_ms"], 1800);
}

TEST(TopologyReportTest, ListsMoves) {
  v1::RebalanceResponse response;
  EXPECT_EQ(RenderMoves(response, true), "the shares are even: nothing moves");
  v1::SlotMove* move = response.add_moves();
  move->set_last(99);
  move->set_from_node_id("a");
  move->set_to_node_id("b");
  EXPECT_EQ(RenderMoves(response, true), "100 slots would move:\n    0 to    99  from a to b");
  EXPECT_EQ(MovesJson(response)["moves"][0]["to"], "b");
}

}  // namespace
}  // namespace ferrite::cli
