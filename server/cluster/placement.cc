#include "server/cluster/placement.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

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
  // shared evenly, some get one more: those who have it, and of these those whose ranges stay whole
  // by that. So what a node has got piece by piece from one that left is what it gives when that
  // one returns.
  void CountNeeds() {
    std::vector<std::vector<int>> lengths(nodes_.size());  // of the ranges of each node
    std::vector<int> has(nodes_.size());
    std::vector<int> first(nodes_.size(), kSlots);
    ForEachRun([&](int owner, Run run) {
      if (owner == kNoNode) return;
      lengths[owner].push_back(run.length());
      has[owner] += run.length();
      first[owner] = std::min(first[owner], run.begin);
    });
    const int count = static_cast<int>(nodes_.size());
    const int share = kSlots / count;
    std::vector<std::tuple<int, int, int, int>> order;
    for (int node = 0; node < count; ++node) {
      std::sort(lengths[node].begin(), lengths[node].end());
      if (has[node] > share) {
        const int excess = has[node] - share;
        const int gain = Pieces(lengths[node], excess) - Pieces(lengths[node], excess - 1);
        order.emplace_back(-kSlots, -gain, first[node], node);
      } else {
        order.emplace_back(-has[node], 0, node, node);
      }
    }
    std::sort(order.begin(), order.end());
    for (int place = 0; place < count; ++place) {
      const int node = std::get<3>(order[place]);
      needs_[node] = share + (place < kSlots % count ? 1 : 0) - has[node];
    }
  }

  // Which of a node's ranges, by length in ascending order, goes first if it gives so many slots:
  // one of just that length, or else the smallest.
  template <typename Ranges, typename Length>
  static auto NextToGive(Ranges* ranges, int given, Length length) {
    const auto found = std::find_if(ranges->begin(), ranges->end(),
                                    [&](const auto& range) { return length(range) == given; });
    return found == ranges->end() ? ranges->begin() : found;
  }

  // How many ranges a node has left when it has given so many slots; one more if one is cut.
  static int Pieces(std::vector<int> lengths, int given) {
    while (given > 0) {
      const auto next = NextToGive(&lengths, given, [](int length) { return length; });
      if (*next > given) return static_cast<int>(lengths.size()) + 1;
      given -= *next;
      lengths.erase(next);
    }
    return static_cast<int>(lengths.size());
  }

  // Nodes that have too many slots give up their smallest ranges, and then of the next one an end:
  // that beside free slots, if one is.
  void GiveUp() {
    // Of ranges of the same length that goes first whose neighbours are short: there most is given,
    // and comes together.
    struct Kept : Run {
      int around;
    };
    std::map<int, std::vector<Kept>> runs;
    std::vector<int> lengths(kSlots + 2);  // of the range of each slot, from 1 on
    ForEachRun([&](int, Run run) {
      std::fill(lengths.begin() + run.begin + 1, lengths.begin() + run.end + 1, run.length());
    });
    ForEachRun([&](int owner, Run run) {
      if (owner == kNoNode || needs_[owner] >= 0) return;
      runs[owner].push_back({run, lengths[run.begin] + lengths[run.end + 1]});
    });
    std::vector<Run> cut;
    for (auto& [owner, of_owner] : runs) {
      std::stable_sort(of_owner.begin(), of_owner.end(), [](const Kept& a, const Kept& b) {
        return std::pair(a.length(), a.around) < std::pair(b.length(), b.around);
      });
      while (needs_[owner] < 0) {
        const auto run =
            NextToGive(&of_owner, -needs_[owner], [](const Run& each) { return each.length(); });
        if (run->length() > -needs_[owner]) {
          cut.push_back(*run);
          break;
        }
        Free(*run, owner);
        of_owner.erase(run);
      }
    }
    std::sort(cut.begin(), cut.end(), [](const Run& a, const Run& b) { return a.begin < b.begin; });
    for (const Run& run : cut) {
      const int owner = owners_[run.begin];
      const bool at_begin = IsFree(run.begin - 1) && !IsFree(run.end);
      Free(at_begin ? Run{run.begin, run.begin - needs_[owner]}
                    : Run{run.end + needs_[owner], run.end},
           owner);
    }
  }

  bool IsFree(int slot) const { return slot >= 0 && slot < kSlots && owners_[slot] == kNoNode; }

  void Free(Run run, int owner) {
    Assign(run, kNoNode);
    needs_[owner] += run.length();
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

  // Each gets the smallest free range in which its slots fit, or the largest of those that it needs
  // wholly.
  void GiveToTheOthers() {
    std::set<std::pair<int, int>> free;  // lengths and begins
    for (const Run& run : FreeRuns()) free.emplace(run.length(), run.begin);
    for (const int taker : Takers()) {
      while (needs_[taker] > 0) {
        auto chosen = free.lower_bound({needs_[taker], 0});
        if (chosen == free.end()) --chosen;
        Run run{chosen->second, chosen->second + chosen->first};
        free.erase(chosen);
        run.begin += Take(run, taker);
        if (run.length() > 0) free.emplace(run.length(), run.begin);
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
