#include "client/cli/cluster/topology_report.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/bytes.h"
#include "client/cli/quantity.h"
#include "proto/slot.h"

namespace ferrite::cli {
namespace {

// What stands for a node in the bar; beyond these, several nodes share one.
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr char kUnowned = '.';
constexpr char kInTransition = '~';
constexpr std::array<int, 6> kColors = {36, 32, 33, 35, 34, 31};  // as terminals number them
constexpr int kMaxBarColumns = 128;
constexpr int kLeastBarColumns = 16;

char LetterOf(uint32_t node) { return kLetters[node % kLetters.size()]; }

struct Cell {
  char letter = kUnowned;
  uint32_t node = 0;
};

// What stands at each slot of a bar of so many cells: whatever is at its middle, but nothing that
// is wrong is left out.
std::vector<Cell> CellsOf(const v1::Topology& topology, size_t count) {
  std::vector<Cell> of_slots(kSlotCount);
  for (const v1::TopologySlots& slots : topology.slots()) {
    const bool served = slots.state() == v1::SLOT_STATE_SERVED;
    for (uint32_t slot = slots.first(); slot <= slots.last() && slot < kSlotCount; ++slot)
      of_slots[slot] = {served ? LetterOf(slots.owner()) : kInTransition, slots.owner()};
  }
  std::vector<Cell> cells;
  for (size_t i = 0; i < count; ++i) {
    const size_t first = i * kSlotCount / count;
    const size_t last = (i + 1) * kSlotCount / count;
    Cell cell = of_slots[(first + last) / 2];
    for (const char wrong : {kInTransition, kUnowned})
      for (size_t slot = first; slot < last; ++slot)
        if (of_slots[slot].letter == wrong) cell = of_slots[slot];
    cells.push_back(cell);
  }
  return cells;
}

std::string Bar(const v1::Topology& topology, int columns, bool color) {
  constexpr int kAround = 12;  // "0 " and " 16383" and what a terminal leaves free
  const int width = std::clamp(columns - kAround, kLeastBarColumns, kMaxBarColumns);
  std::string bar = "0 ";
  for (const Cell& cell : CellsOf(topology, static_cast<size_t>(width))) {
    if (color && cell.letter != kUnowned) {
      absl::StrAppendFormat(&bar, "\x1b[%dm%c\x1b[0m", kColors[cell.node % kColors.size()],
                            cell.letter);
    } else {
      bar.push_back(cell.letter);
    }
  }
  return absl::StrCat(bar, " ", kSlotCount - 1);
}

std::string StateOf(const v1::TopologyNode& node, bool alone) {
  if (node.draining()) return "drains";
  return node.address().empty() && !alone ? "gone" : "";
}

std::string Table(const v1::Topology& topology) {
  const bool alone = topology.cluster().empty();
  const bool has_zones = std::any_of(topology.nodes().begin(), topology.nodes().end(),
                                     [](const auto& node) { return !node.zone().empty(); });
  std::vector<std::array<std::string, 7>> rows = {
      {"", "node", "address", has_zones ? "zone" : "", "version", "slots", ""}};
  for (int i = 0; i < topology.nodes_size(); ++i) {
    const v1::TopologyNode& node = topology.nodes(i);
    rows.push_back({std::string(1, LetterOf(static_cast<uint32_t>(i))),
                    alone ? "-" : DisplayText(node.node_id()), DisplayText(node.address()),
                    DisplayText(node.zone()), DisplayText(node.version()),
                    Grouped(node.slots_owned()), StateOf(node, alone)});
  }
  std::array<size_t, 7> widths = {};
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string table;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool is_number = i == 5;
      const std::string blanks(widths[i] - row[i].size(), ' ');
      if (widths[i] > 0)
        absl::StrAppend(&line, is_number ? blanks : "", row[i], is_number ? "" : blanks, "  ");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&table, line, "\n");
  }
  return table;
}

const char* StateName(v1::SlotState state) {
  switch (state) {
    case v1::SLOT_STATE_RELEASING:
      return "releasing";
    case v1::SLOT_STATE_PREPARING:
      return "preparing";
    default:
      return "served";
  }
}

uint32_t SlotsOwned(const v1::Topology& topology) {
  uint32_t owned = 0;
  for (const v1::TopologyNode& node : topology.nodes()) owned += node.slots_owned();
  return owned;
}

}  // namespace

std::string RenderTopology(const std::string& server, const v1::GetTopologyResponse& response,
                           int columns, bool color) {
  const v1::Topology& topology = response.topology();
  const v1::TopologyWitness& witness = response.witness();
  std::string text;
  if (topology.cluster().empty()) {
    absl::StrAppend(&text, server, " is part of no cluster and serves all slots\n\n");
  } else {
    absl::StrAppend(&text, "cluster ", DisplayText(topology.cluster()), ", epoch ",
                    topology.epoch(), ", as ", DisplayText(witness.node_id()), " (", server,
                    ") sees it", witness.controller() ? ", which makes the changes" : "", "\n\n");
  }
  absl::StrAppend(&text, Table(topology), "\n", Bar(topology, columns, color));
  const uint32_t owned = SlotsOwned(topology);
  if (owned < kSlotCount)
    absl::StrAppend(&text, "\n", Grouped(kSlotCount - owned), " slots have no owner");
  if (witness.may_serve_ms() == 0)
    absl::StrAppend(&text, "\n", DisplayText(witness.node_id()),
                    " may serve nothing: it has not heard of etcd for too long");
  for (const std::string& problem : witness.problems())
    absl::StrAppend(&text, "\n! ", DisplayText(problem));
  return text;
}

nlohmann::ordered_json TopologyJson(const v1::GetTopologyResponse& response) {
  const v1::Topology& topology = response.topology();
  const v1::TopologyWitness& witness = response.witness();
  nlohmann::ordered_json nodes = nlohmann::ordered_json::array();
  for (const v1::TopologyNode& node : topology.nodes()) {
    nodes.push_back({{"node_id", JsonBytes(node.node_id())},
                     {"boot_id", node.boot_id()},
                     {"address", JsonBytes(node.address())},
                     {"zone", JsonBytes(node.zone())},
                     {"version", JsonBytes(node.version())},
                     {"draining", node.draining()},
                     {"slots_owned", node.slots_owned()}});
  }
  nlohmann::ordered_json slots = nlohmann::ordered_json::array();
  for (const v1::TopologySlots& each : topology.slots()) {
    const auto owner = static_cast<int>(each.owner());
    const bool known = owner < topology.nodes_size();
    slots.push_back({{"first", each.first()},
                     {"last", each.last()},
                     {"owner", JsonBytes(known ? topology.nodes(owner).node_id() : "")},
                     {"state", StateName(each.state())}});
  }
  return {{"cluster", JsonBytes(topology.cluster())},
          {"cluster_uid", topology.cluster_uid()},
          {"epoch", topology.epoch()},
          {"slots_owned", SlotsOwned(topology)},
          {"nodes", std::move(nodes)},
          {"slots", std::move(slots)},
          {"witness",
           {{"node_id", JsonBytes(witness.node_id())},
            {"may_serve_ms", witness.may_serve_ms()},
            {"controller", witness.controller()},
            {"problems",
             std::vector<std::string>(witness.problems().begin(), witness.problems().end())}}}};
}

std::string RenderMoves(const v1::RebalanceResponse& response, bool dry_run) {
  if (response.moves().empty()) return "the shares are even: nothing moves";
  uint32_t count = 0;
  std::string lines;
  for (const v1::SlotMove& move : response.moves()) {
    count += move.last() - move.first() + 1;
    absl::StrAppendFormat(&lines, "\n%5d to %5d  from %s to %s", move.first(), move.last(),
                          DisplayText(move.from_node_id()), DisplayText(move.to_node_id()));
  }
  return absl::StrCat(Grouped(count), count == 1 ? " slot" : " slots",
                      dry_run ? " would move:" : " move:", lines);
}

nlohmann::ordered_json MovesJson(const v1::RebalanceResponse& response) {
  nlohmann::ordered_json moves = nlohmann::ordered_json::array();
  for (const v1::SlotMove& move : response.moves()) {
    moves.push_back({{"first", move.first()},
                     {"last", move.last()},
                     {"from", JsonBytes(move.from_node_id())},
                     {"to", JsonBytes(move.to_node_id())}});
  }
  return {{"moves", std::move(moves)}};
}

}  // namespace ferrite::cli
