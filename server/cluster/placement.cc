#include "server/cluster/placement.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "base/check.h"
#include "proto/slot.h"

namespace ferrite::cluster {
namespace {

constexpr int kSlots = static_cast<int>(kSlotCount);

// Slots next to each other with the same owner: [begin, end).
struct Run {
  int begin;
  int end;
  int length() const { return end - begin; }
};

// Puts slots where they should go, one step after the other.
class Placing {
 public:
  Placing(std::span<const PlacementNode> nodes, std::span<const int> owners)
      : nodes_(nodes), owners_(owners.begin(), owners.end()), needs_(nodes.size()) {
    CountNeeds();
  }

  std::vector<int> Done() && {
    GiveUp();
    GiveToNeighbours();
    GiveToTheOthers();
    return std::move(owners_);
  }

 private:
  // How many slots each node lacks; below 0: how many it has too many. Where the slots cannot be
  // shared evenly, those who have most keep one more.
  void CountNeeds() {
    std::vector<int> has(nodes_.size());
    for (const int owner : owners_) {
      if (owner != kNoNode) ++has[owner];
    }
    std::vector<int> order(nodes_.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return has[a] > has[b]; });
    const int count = static_cast<int>(nodes_.size());
    for (int place = 0; place < count; ++place) {
      const int share = kSlots / count + (place < kSlots % count ? 1 : 0);
      needs_[order[place]] = share - has[order[place]];
    }
  }

  // Nodes that have too many slots give up their smallest ranges, and of the next one its end.
  void GiveUp() {
    std::map<int, std::vector<Run>> runs;
    ForEachRun([&](int owner, Run run) {
      if (owner != kNoNode && needs_[owner] < 0) runs[owner].push_back(run);
    });
    for (auto& [owner, of_owner] : runs) {
      std::stable_sort(of_owner.begin(), of_owner.end(),
                       [](const Run& a, const Run& b) { return a.length() < b.length(); });
      for (auto run = of_owner.begin(); needs_[owner] < 0; ++run) {
        const int given = std::min(run->length(), -needs_[owner]);
        Assign({run->end - given, run->end}, kNoNode);
        needs_[owner] += given;
      }
    }
  }

  void GiveToNeighbours() {
    for (const Run& run : FreeRuns()) {
      const int left = run.begin > 0 ? owners_[run.begin - 1] : kNoNode;
      const int taken = Take({run.begin, run.end}, left);
      const int right = run.end < kSlots ? owners_[run.end] : kNoNode;
      if (right == kNoNode) continue;
      const int wanted = std::clamp(needs_[right], 0, run.length() - taken);
      Take({run.end - wanted, run.end}, right);
    }
  }

  void GiveToTheOthers() {
    const std::vector<int> takers = Takers();
    auto taker = takers.begin();
    for (Run run : FreeRuns()) {
      while (run.length() > 0) {
        while (needs_[*taker] == 0) ++taker;
        run.begin += Take(run, *taker);
      }
    }
  }

  // Those who need slots: the first of each zone, the second of each zone, and so on.
  std::vector<int> Takers() const {
    std::map<std::string, int> seen;
    std::vector<std::tuple<int, std::string, int>> order;
    for (int node = 0; node < static_cast<int>(nodes_.size()); ++node) {
      if (needs_[node] > 0) order.emplace_back(seen[nodes_[node].zone]++, nodes_[node].zone, node);
    }
    std::sort(order.begin(), order.end());
    std::vector<int> takers;
    for (const auto& [rank, zone, node] : order) takers.push_back(node);
    return takers;
  }

  // Gives `taker`, if it is a node, as many slots from the start of `run` as it needs; how many.
  int Take(Run run, int taker) {
    if (taker == kNoNode || needs_[taker] <= 0) return 0;
    const int taken = std::min(run.length(), needs_[taker]);
    Assign({run.begin, run.begin + taken}, taker);
    needs_[taker] -= taken;
    return taken;
  }

  void Assign(Run run, int owner) {
    std::fill(owners_.begin() + run.begin, owners_.begin() + run.end, owner);
  }

  std::vector<Run> FreeRuns() const {
    std::vector<Run> free;
    ForEachRun([&](int owner, Run run) {
      if (owner == kNoNode) free.push_back(run);
    });
    return free;
  }

  template <typename Visitor>
  void ForEachRun(Visitor visit) const {
    for (int begin = 0, end; begin < kSlots; begin = end) {
      for (end = begin + 1; end < kSlots && owners_[end] == owners_[begin];) ++end;
      visit(owners_[begin], Run{begin, end});
    }
  }

  const std::span<const PlacementNode> nodes_;
  std::vector<int> owners_;
  std::vector<int> needs_;
};

}  // namespace

std::vector<int> Place(std::span<const PlacementNode> nodes, std::span<const int> owners) {
  FERRITE_CHECK(owners.size() == kSlotCount);
  if (nodes.empty()) return std::vector<int>(kSlotCount, kNoNode);
  return Placing(nodes, owners).Done();
}

}  // namespace ferrite::cluster
