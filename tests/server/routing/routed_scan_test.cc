// Scans over a cluster.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/server/routing/nodes_fixture.h"

namespace ferrite {
namespace {

class RoutedScanTest : public NodesTest {
 protected:
  struct Scanned {
    std::map<std::string, int> keys;  // how often each was sent
    std::string cursor = "none";      // the last one
    grpc::Status status;
  };

  // Calls `after_first()` when the first message has come.
  Scanned ScanAt(
      size_t node, const v1::ScanRequest& request, bool direct = false,
      const std::function<void()>& after_first = [] {}) {
    grpc::ClientContext context;
    if (direct) context.AddMetadata("ferrite-route", "direct");
    const auto reader = members_[node].stub->Scan(&context, request);
    Scanned scanned;
    v1::ScanResponse response;
    for (int i = 0; reader->Read(&response); ++i) {
      for (const v1::ScanEntry& entry : response.entries()) {
        ++scanned.keys[entry.key()];
        EXPECT_EQ(entry.value(), request.with_values() ? "v-" + entry.key() : "");
      }
      scanned.cursor = response.cursor();
      if (i == 0) after_first();
    }
    scanned.status = reader->Finish();
    return scanned;
  }
  std::map<std::string, int> Fill(int count, const std::string& prefix = "k") {
    std::map<std::string, int> keys;
    for (int i = 0; i < count; ++i) {
      const std::string key = prefix + std::to_string(i);
      EXPECT_TRUE(SetAt(0, key, "v-" + key).ok());
      keys[key] = 1;
    }
    return keys;
  }
  // One that Fill() makes.
  std::string KeyOfTheLast() const {
    for (int i = 0;; ++i) {
      std::string key = "k" + std::to_string(i);
      if (SlotOf(key) >= SlotsOf(2).first) return key;
    }
  }
  // The slot of a key, with it; no other slot moves.
  void MoveToTheFirst(const std::string& key) {
    const uint32_t slot = SlotOf(key);
    // The new owner has it before the old one gives it up.
    for (size_t i = 0; i < 3; ++i) {
      const auto view = ViewOf(i, /*generation=*/2);
      view->Assign(slot, slot, {i == 0 ? Place::kHere : Place::kElsewhere, 0});
      view->SetOwnedSince(0, 1);
      view->SetOwnedSince(slot, 2);
      view->SetOwnedSince(slot + 1, 1);
      members_[i].view.Publish(view);
      if (i == 0) {
        ASSERT_TRUE(SetAt(0, key, "v-" + key).ok());
      }
    }
  }
};

TEST_F(RoutedScanTest, EachKeyOfTheClusterIsSentOnce) {
  const std::map<std::string, int> keys = Fill(300);
  Fill(20, "other");
  v1::ScanRequest request;
  request.set_prefix("k");
  for (size_t through = 0; through < 3; ++through) {
    request.set_with_values(through == 1);
    const Scanned scanned = ScanAt(through, request);
    EXPECT_TRUE(scanned.status.ok()) << scanned.status.error_message();
    EXPECT_EQ(scanned.keys, keys);
    EXPECT_EQ(scanned.cursor, "");
  }
}

TEST_F(RoutedScanTest, PagesGoOnThroughAnyNode) {
  const std::map<std::string, int> keys = Fill(100);
  v1::ScanRequest request;
  request.set_limit(7);
  std::map<std::string, int> seen;
  size_t through = 0;
  do {
    const Scanned scanned = ScanAt(through++ % 3, request);
    ASSERT_TRUE(scanned.status.ok()) << scanned.status.error_message();
    EXPECT_LE(scanned.keys.size(), 7u);
    for (const auto& [key, count] : scanned.keys) seen[key] += count;
    request.set_cursor(scanned.cursor);
  } while (!request.cursor().empty());
  EXPECT_EQ(seen, keys);
}

TEST_F(RoutedScanTest, ADirectScanSendsWhatTheNodeServes) {
  const std::map<std::string, int> keys = Fill(100);
  std::map<std::string, int> seen;
  for (size_t node = 0; node < 3; ++node) {
    const Scanned scanned = ScanAt(node, {}, /*direct=*/true);
    EXPECT_TRUE(scanned.status.ok());
    for (const auto& [key, count] : scanned.keys) {
      EXPECT_GE(SlotOf(key), SlotsOf(node).first);
      EXPECT_LE(SlotOf(key), SlotsOf(node).second);
      seen[key] += count;
    }
  }
  EXPECT_EQ(seen, keys);
}

TEST_F(RoutedScanTest, WhatANodeHoldsOfOthersIsNotSent) {
  Fill(100);
  // A slot of node 0 becomes node 1's, but its entry is still there.
  std::string key = KeyOf(0, 7);
  ASSERT_TRUE(SetAt(0, key, "v-" + key).ok());
  const uint32_t slot = SlotOf(key);
  for (size_t i = 0; i < 3; ++i) {
    const auto view = ViewOf(i);
    view->Assign(slot, slot, {i == 1 ? Place::kHere : Place::kElsewhere, 1});
    members_[i].view.Publish(view);
  }
  for (size_t through = 0; through < 3; ++through) {
    const Scanned scanned = ScanAt(through, {});
    EXPECT_TRUE(scanned.status.ok());
    EXPECT_EQ(scanned.keys.count(key), 0u);
    EXPECT_GE(scanned.keys.size(), 99u);
  }
}

TEST_F(RoutedScanTest, WhatMovesDuringAScanIsSentNevertheless) {
  std::map<std::string, int> keys = Fill(3000);
  // When the first messages of node 0 have come, a slot of the last node moves to it, with its key.
  const std::string moved = KeyOfTheLast();
  const uint32_t slot = SlotOf(moved);
  const Scanned scanned = ScanAt(0, {}, /*direct=*/false, [&] { MoveToTheFirst(moved); });
  EXPECT_TRUE(scanned.status.ok()) << scanned.status.error_message();
  // And the others are not sent again.
  for (const auto& [key, count] : keys) {
    const auto found = scanned.keys.find(key);
    ASSERT_NE(found, scanned.keys.end()) << key;
    if (SlotOf(key) != slot) {
      EXPECT_EQ(found->second, 1) << key;
    }
  }
}

TEST_F(RoutedScanTest, PagesGoOnThoughASlotMoves) {
  const std::map<std::string, int> keys = Fill(200);
  const std::string moved = KeyOfTheLast();
  v1::ScanRequest request;
  request.set_limit(7);
  std::map<std::string, int> seen;
  for (int page = 0; page == 0 || !request.cursor().empty(); ++page) {
    const Scanned scanned = ScanAt(static_cast<size_t>(page % 3), request);
    ASSERT_TRUE(scanned.status.ok()) << scanned.status.error_message();
    EXPECT_LE(scanned.keys.size(), 7u);
    for (const auto& [key, count] : scanned.keys) seen[key] += count;
    request.set_cursor(scanned.cursor);
    if (page == 2) MoveToTheFirst(moved);
  }
  for (const auto& [key, count] : keys) {
    EXPECT_GE(seen[key], 1) << key;
    if (SlotOf(key) != SlotOf(moved)) {
      EXPECT_EQ(seen[key], 1) << key;
    }
  }
}

TEST_F(RoutedScanTest, ASlotThatNobodyServesIsNotPassedOver) {
  Fill(10);
  const auto view = ViewOf(0);
  view->Assign(0, 0, {Place::kReleasing, 0});
  members_[0].view.Publish(view);
  EXPECT_EQ(InfoOf(ScanAt(0, {}).status).reason(), "SLOT_IN_TRANSITION");
  PublishThirds();
  Stop(2);
  const Scanned scanned = ScanAt(0, {});
  EXPECT_EQ(InfoOf(scanned.status).reason(), "PEER_UNREACHABLE");
  EXPECT_EQ(InfoOf(scanned.status).metadata().at("node"), "node-2");
  members_[1].right.Set(0);
  EXPECT_EQ(InfoOf(ScanAt(0, {}).status).reason(), "LEASE_LOST");
  EXPECT_EQ(InfoOf(ScanAt(1, {}).status).reason(), "LEASE_LOST");
}

// A node that has not heard of the last one yet, which has a third of the keys.
TEST_F(RoutedScanTest, AnOldViewDoesNotHideAnOwner) {
  const std::map<std::string, int> keys = Fill(3000);
  const auto publish_old = [this] {
    const auto view = ViewOf(0);
    const auto [first, last] = SlotsOf(2);
    view->Assign(first, last, {Place::kElsewhere, 1});
    members_[0].view.Publish(view);
  };
  publish_old();
  EXPECT_EQ(InfoOf(ScanAt(0, {}).status).reason(), "SLOT_IN_TRANSITION");
  const Scanned scanned =
      ScanAt(0, {}, /*direct=*/false, [&] { members_[0].view.Publish(ViewOf(0)); });
  EXPECT_TRUE(scanned.status.ok()) << scanned.status.error_message();
  EXPECT_EQ(scanned.keys, keys);
  // Also if it owns nothing itself, and has no right to serve.
  const auto view = ViewOf(0);
  view->Assign(0, kSlotCount - 1, {Place::kElsewhere, 1});
  members_[0].view.Publish(view);
  members_[0].right.Set(0);
  EXPECT_EQ(InfoOf(ScanAt(0, {}).status).reason(), "SLOT_IN_TRANSITION");
}

TEST_F(RoutedScanTest, BadCursorsAreRefused) {
  for (const std::string cursor : {"x", "\x08\x01", "\x08\x01\x12\x06node-0\x1A\x01x"}) {
    v1::ScanRequest request;
    request.set_cursor(cursor);
    EXPECT_EQ(InfoOf(ScanAt(0, request).status).reason(), "CURSOR_INVALID");
    EXPECT_EQ(InfoOf(ScanAt(0, request, /*direct=*/true).status).reason(), "CURSOR_INVALID");
  }
}

TEST_F(RoutedScanTest, AScanThatIsCancelledEndsItsStreams) {
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(SetAt(0, KeyOf(1, i), std::string(500'000, 'v')).ok());
  }
  v1::ScanRequest request;
  request.set_with_values(true);
  grpc::ClientContext context;
  const auto reader = members_[0].stub->Scan(&context, request);
  v1::ScanResponse response;
  while (reader->Read(&response) && response.entries_size() == 0) {
  }
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  Stop(0);
}

}  // namespace
}  // namespace ferrite
