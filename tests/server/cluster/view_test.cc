#include "server/cluster/view.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "server/cluster/published_view.h"
#include "server/cluster/serving_right.h"

namespace ferrite::cluster {
namespace {

using Place = Route::Place;

ClusterView::Nodes NodesOf(size_t count) {
  ClusterView::Nodes nodes;
  for (size_t node = 0; node < count; ++node) nodes.push_back(std::make_shared<ViewNode>());
  return nodes;
}

TEST(View, NobodyServesWithoutAMap) {
  const ClusterView view;
  for (uint32_t slot = 0; slot < kSlotCount; ++slot)
    EXPECT_EQ(view.route(slot).place, Place::kNobody);
  EXPECT_EQ(view.version().epoch, 0);
}

TEST(View, EachSlotHasItsPlaceAndNode) {
  ClusterView view({.epoch = 5, .generation = 2, .cluster_uid = 9},
                   NodesOf(ClusterView::kMaxNodes));
  view.Assign(0, 99, {Place::kHere, 0});
  view.Assign(100, 100, {Place::kElsewhere, ClusterView::kMaxNodes - 1});
  view.Assign(101, 200, {Place::kPreparing, 7});
  view.Assign(201, kSlotCount - 1, {Place::kReleasing, 4096});
  EXPECT_EQ(view.route(0), (Route{Place::kHere, 0}));
  EXPECT_EQ(view.route(99), (Route{Place::kHere, 0}));
  EXPECT_EQ(view.route(100), (Route{Place::kElsewhere, ClusterView::kMaxNodes - 1}));
  EXPECT_EQ(view.route(200), (Route{Place::kPreparing, 7}));
  EXPECT_EQ(view.route(kSlotCount - 1), (Route{Place::kReleasing, 4096}));
  EXPECT_EQ(view.version().epoch, 5);
}

TEST(View, EachSlotHasItsOwnerSinceSomeGeneration) {
  ClusterView view;
  EXPECT_EQ(view.owned_since(0), 0u);
  view.SetOwnedSince(10, 3);
  view.SetOwnedSince(20, 3);
  view.SetOwnedSince(30, 5);
  EXPECT_EQ(view.owned_since(9), 0u);
  for (const uint32_t slot : {10, 19, 20, 29}) EXPECT_EQ(view.owned_since(slot), 3u) << slot;
  for (const uint32_t slot : {30, 16383}) EXPECT_EQ(view.owned_since(slot), 5u) << slot;
}

TEST(View, TheRightEndsInItsNanosecond) {
  ServingRight right;
  EXPECT_FALSE(right.Holds(0));
  right.Set(1000);
  EXPECT_TRUE(right.Holds(999));
  EXPECT_FALSE(right.Holds(1000));
  right.Set(0);
  EXPECT_FALSE(right.Holds(1));
}

TEST(View, AReaderSeesWhatWasPublishedLast) {
  PublishedView published;
  ViewReader reader(&published);
  EXPECT_EQ(reader.view().version().epoch, 0);
  published.Publish(std::make_shared<ClusterView>(ClusterView::Version{.epoch = 3}, NodesOf(0)));
  EXPECT_EQ(reader.view().version().epoch, 3);
  EXPECT_EQ(published.Get()->version().epoch, 3);
  EXPECT_EQ(ViewReader(&published).view().version().epoch, 3);
}

TEST(View, ViewsLiveAsLongAsTheyAreRead) {
  PublishedView published;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  std::atomic<int> started = 0;
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&] {
      ViewReader reader(&published);
      int64_t last = 0;
      ++started;
      while (!stop) {
        const ClusterView& view = reader.view();
        // Whole, and never an older one.
        ASSERT_GE(view.version().epoch, last);
        last = view.version().epoch;
        ASSERT_EQ(view.route(0).node, last % 100);
        ASSERT_EQ(view.route(kSlotCount - 1).node, last % 100);
      }
    });
  }
  while (started < 2) std::this_thread::yield();
  for (int64_t epoch = 1; epoch <= 2000; ++epoch) {
    auto view = std::make_shared<ClusterView>(ClusterView::Version{.epoch = epoch}, NodesOf(100));
    view->Assign(0, kSlotCount - 1, {Place::kElsewhere, static_cast<uint16_t>(epoch % 100)});
    published.Publish(std::move(view));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(published.count(), 2000u);
}

}  // namespace
}  // namespace ferrite::cluster
