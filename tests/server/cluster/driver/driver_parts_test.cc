// The parts of the driver that need no etcd; tests/cluster has the whole.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/cluster/driver/drops.h"
#include "server/cluster/driver/inbox.h"
#include "server/cluster/driver/view_listeners.h"

namespace ferrite::cluster {
namespace {

class DropsTest : public testing::Test {
 protected:
  DropsTest() {
    store_.older_calls_are_done = [this](uint64_t view_count) { return view_count <= done_; };
    store_.drop = [this](const std::vector<SlotSpan>& spans) {
      begun_.push_back(spans.front().first);
      return [steps = 2]() mutable { return --steps > 0; };
    };
  }
  static Drop Of(uint64_t id, uint32_t first) { return {.id = id, .spans = {{first, first}}}; }

  StoreEffects store_;
  uint64_t done_ = 0;
  std::vector<uint32_t> begun_;
  Drops drops_{&store_};
};

TEST_F(DropsTest, BeginWhenNoOlderCallIsAtWork) {
  EXPECT_EQ(drops_.pace(), Drops::Pace::kIdle);
  drops_.Add(Of(1, 10), /*view_count=*/7);
  EXPECT_EQ(drops_.pace(), Drops::Pace::kWaits);
  EXPECT_FALSE(drops_.Step().has_value());
  EXPECT_TRUE(begun_.empty());
  done_ = 7;
  EXPECT_FALSE(drops_.Step().has_value());
  EXPECT_EQ(drops_.pace(), Drops::Pace::kBusy);
  const auto dropped = drops_.Step();
  ASSERT_TRUE(dropped.has_value());
  EXPECT_EQ(dropped->drop, 1u);
  EXPECT_EQ(drops_.pace(), Drops::Pace::kIdle);
  EXPECT_FALSE(drops_.Step().has_value());
}

TEST_F(DropsTest, GoOneAfterTheOther) {
  done_ = 9;
  drops_.Add(Of(1, 10), 7);
  drops_.Add(Of(2, 20), 9);
  std::vector<uint64_t> dropped;
  while (drops_.pace() != Drops::Pace::kIdle)
    if (const auto done = drops_.Step()) dropped.push_back(done->drop);
  EXPECT_EQ(dropped, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(begun_, (std::vector<uint32_t>{10, 20}));
}

TEST(InboxTest, GivesEventsInOrderAndKeepsFewHints) {
  Inbox inbox;
  constexpr int kHints = 1000;
  for (int i = 0; i < kHints; ++i) inbox.AddHint({});
  inbox.Add(Wish::kDrain);
  auto events = inbox.Take(Inbox::Time::max());
  EXPECT_LT(events.size(), 100u);
  EXPECT_TRUE(std::holds_alternative<WatchHint>(events.front()));
  EXPECT_TRUE(std::holds_alternative<Wish>(events.back()));
  inbox.AddHint({});
  EXPECT_EQ(inbox.Take(Inbox::Time::max()).size(), 1u);
  EXPECT_TRUE(inbox.Take(Inbox::Time::min()).empty());
}

TEST(InboxTest, NobodyWaitsForOneThatIsClosed) {
  Inbox inbox;
  inbox.Close();
  EXPECT_TRUE(inbox.Take(Inbox::Time::max()).empty());
  inbox.WaitClosed(Inbox::Time::max());
  EXPECT_TRUE(inbox.closed());
}

TEST(ViewListenersTest, AreCalledUntilTheyAreTakenOut) {
  ViewListeners listeners;
  std::string called;
  const uint64_t first = listeners.Add([&] { called += "a"; });
  listeners.Add([&] { called += "b"; });
  listeners.CallAll();
  listeners.Remove(first);
  listeners.CallAll();
  EXPECT_EQ(called, "abb");
}

}  // namespace
}  // namespace ferrite::cluster
