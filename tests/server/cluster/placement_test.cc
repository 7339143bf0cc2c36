#include "server/cluster/placement.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/slot.h"

namespace ferrite::cluster {
namespace {

using Owners = std::vector<int>;

std::vector<PlacementNode> Nodes(int count, int zones = 1) {
  std::vector<PlacementNode> nodes;
  for (int node = 0; node < count; ++node)
    nodes.push_back({absl::StrFormat("n%05d", node), absl::StrFormat("z%d", node % zones)});
  return nodes;
}

std::vector<int> Counts(const Owners& owners, int nodes) {
  std::vector<int> counts(nodes);
  for (const int owner : owners) ++counts.at(owner);
  return counts;
}

int Ranges(const Owners& owners) {
  int ranges = 1;
  for (size_t slot = 1; slot < owners.size(); ++slot) ranges += owners[slot] != owners[slot - 1];
  return ranges;
}

int Moves(const Owners& from, const Owners& to) {
  int moves = 0;
  for (size_t slot = 0; slot < from.size(); ++slot) moves += from[slot] != to[slot];
  return moves;
}

// The least that any even placement moves: what the nodes have beyond their shares, where those who
// have most may keep one more; and what nobody has.
int FewestMoves(const Owners& from, int nodes) {
  std::vector<int> has(nodes);
  int moves = 0;
  for (const int owner : from) owner == kNoNode ? ++moves : ++has[owner];
  std::sort(has.rbegin(), has.rend());
  for (int place = 0; place < nodes; ++place) {
    const int share = 16384 / nodes + (place < 16384 % nodes ? 1 : 0);
    moves += std::max(0, has[place] - share);
  }
  return moves;
}

void ExpectEven(const Owners& owners, int nodes) {
  const std::vector<int> counts = Counts(owners, nodes);
  const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
  EXPECT_LE(*most - *least, 1);
}

TEST(Placement, TheFirstMapIsEvenAndInWholeRanges) {
  for (const int count : {1, 2, 3, 7, 100, 5000}) {
    const Owners owners = Place(Nodes(count), Owners(kSlotCount, kNoNode));
    ExpectEven(owners, count);
    EXPECT_EQ(Ranges(owners), count);
  }
}

TEST(Placement, MoreNodesThanSlotsLeaveSomeWithoutAny) {
  const Owners owners = Place(Nodes(20'000), Owners(kSlotCount, kNoNode));
  std::vector<int> counts = Counts(owners, 20'000);
  EXPECT_EQ(*std::max_element(counts.begin(), counts.end()), 1);
}

TEST(Placement, WithoutNodesNobodyOwnsAnything) {
  EXPECT_EQ(Place({}, Owners(kSlotCount, kNoNode)), Owners(kSlotCount, kNoNode));
}

TEST(Placement, WhatIsEvenStays) {
  const Owners owners = Place(Nodes(7), Owners(kSlotCount, kNoNode));
  EXPECT_EQ(Place(Nodes(7), owners), owners);
}

TEST(Placement, NeighboursLieInDifferentZones) {
  const std::vector<PlacementNode> nodes = Nodes(9, 3);
  const Owners owners = Place(nodes, Owners(kSlotCount, kNoNode));
  std::map<std::string, int> by_zone;
  for (size_t slot = 0; slot < owners.size(); ++slot) {
    ++by_zone[nodes[owners[slot]].zone];
    if (slot > 0 && owners[slot] != owners[slot - 1]) {
      EXPECT_NE(nodes[owners[slot]].zone, nodes[owners[slot - 1]].zone);
    }
  }
  EXPECT_EQ(by_zone.size(), 3u);
  for (const auto& [zone, slots] : by_zone) EXPECT_NEAR(slots, 16384 / 3, 3);
}

TEST(Placement, ANodeThatGoesLeavesTheOthersAlone) {
  const Owners owners = Place(Nodes(10), Owners(kSlotCount, kNoNode));
  // Node 4 goes: those after it move up by one place.
  Owners left = owners;
  for (int& owner : left) owner = owner == 4 ? kNoNode : owner > 4 ? owner - 1 : owner;
  const Owners placed = Place(Nodes(9), left);
  ExpectEven(placed, 9);
  for (size_t slot = 0; slot < placed.size(); ++slot) {
    EXPECT_TRUE(left[slot] == kNoNode || placed[slot] == left[slot]);
  }
}

TEST(Placement, ANodeThatComesTakesItsShareOnly) {
  const Owners owners = Place(Nodes(9), Owners(kSlotCount, kNoNode));
  const Owners placed = Place(Nodes(10), owners);
  ExpectEven(placed, 10);
  EXPECT_EQ(Moves(owners, placed), Counts(placed, 10)[9]);
}

TEST(Placement, AnyStartBecomesEvenWithTheFewestMoves) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const int count = 1 + static_cast<int>(random() % 40);
    Owners owners;
    while (owners.size() < kSlotCount) {
      const size_t length = std::min<size_t>(1 + random() % 3000, kSlotCount - owners.size());
      owners.insert(owners.end(), length, static_cast<int>(random() % (count + 1)) - 1);
    }
    const std::vector<PlacementNode> nodes = Nodes(count, 1 + static_cast<int>(random() % 4));
    const Owners placed = Place(nodes, owners);
    ExpectEven(placed, count);
    ASSERT_EQ(Moves(owners, placed), FewestMoves(owners, count));
    ASSERT_EQ(Place(nodes, owners), placed);
    ASSERT_EQ(Place(nodes, placed), placed);
  }
}

TEST(Placement, RangesStayFewWhileNodesComeAndGo) {
  std::mt19937_64 random(3);
  std::vector<PlacementNode> nodes = Nodes(20);
  Owners owners = Place(nodes, Owners(kSlotCount, kNoNode));
  int names = 20;
  for (int round = 0; round < 200; ++round) {
    if (round % 2 == 0) {
      const int gone = static_cast<int>(random() % nodes.size());
      nodes.erase(nodes.begin() + gone);
      for (int& owner : owners) owner = owner == gone ? kNoNode : owner > gone ? owner - 1 : owner;
    } else {
      nodes.push_back({absl::StrFormat("n%05d", names++), ""});
    }
    owners = Place(nodes, owners);
  }
  ExpectEven(owners, 20);
  EXPECT_LT(Ranges(owners), 600);
}

// Has these nodes leave and come back.
Owners AfterReturn(const std::vector<PlacementNode>& nodes, const Owners& owners, int first,
                   int last) {
  const int gone = last - first + 1;
  std::vector<PlacementNode> rest = nodes;
  rest.erase(rest.begin() + first, rest.begin() + last + 1);
  Owners without = owners;
  for (int& owner : without) {
    owner = owner < first ? owner : owner <= last ? kNoNode : owner - gone;
  }
  Owners with = Place(rest, without);
  for (int& owner : with) owner = owner < first ? owner : owner + gone;
  return Place(nodes, with);
}

TEST(Placement, ANodeThatComesBackGetsAlmostAllThatItHad) {
  const std::vector<PlacementNode> nodes = Nodes(100, 3);
  const Owners owners = Place(nodes, Owners(kSlotCount, kNoNode));
  for (const int node : {0, 41, 99}) {
    const Owners after = AfterReturn(nodes, owners, node, node);
    ExpectEven(after, 100);
    EXPECT_LE(Moves(owners, after), 4) << "node " << node;
  }
}

TEST(Placement, RangesStayFewWhileAllNodesAreReplacedInTurn) {
  for (const int batch : {1, 10, 40}) {
    const std::vector<PlacementNode> nodes = Nodes(400, 3);
    Owners owners = Place(nodes, Owners(kSlotCount, kNoNode));
    for (int first = 0; first < 400; first += batch) {
      owners = AfterReturn(nodes, owners, first, first + batch - 1);
    }
    ExpectEven(owners, 400);
    EXPECT_LT(Ranges(owners), 1200) << "batches of " << batch;
  }
}

}  // namespace
}  // namespace ferrite::cluster
