// Where calls go, as a function; the keys of their bytes; what is counted.

#include "server/routing/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "ferrite/v1/cache.pb.h"
#include "server/call/status.h"
#include "server/routing/cluster_cursor.h"
#include "server/routing/forwarded_result.h"
#include "server/routing/operation_key.h"
#include "server/routing/routing_metrics.h"

namespace ferrite {
namespace {

using Place = cluster::Route::Place;

cluster::ClusterView ViewOfTwo() {
  auto here = std::make_shared<cluster::ViewNode>();
  here->id = "a";
  auto there = std::make_shared<cluster::ViewNode>();
  there->id = "b";
  there->address = there->internal_address = "b:1";
  auto gone = std::make_shared<cluster::ViewNode>();
  gone->id = "c";
  return cluster::ClusterView({.epoch = 7}, {here, there, gone});
}

TEST(DestinationTest, FollowsFromPlaceRightAndWish) {
  const cluster::ClusterView view = ViewOfTwo();
  const struct {
    cluster::Route route;
    bool may_serve;
    bool may_forward;
    Way way;
  } cases[] = {
      {{Place::kHere, 0}, true, true, Way::kServe},
      {{Place::kHere, 0}, true, false, Way::kServe},
      {{Place::kHere, 0}, false, true, Way::kLeaseLost},
      {{Place::kElsewhere, 1}, false, true, Way::kForward},
      {{Place::kElsewhere, 1}, true, false, Way::kMoved},
      {{Place::kElsewhere, 2}, true, true, Way::kOwnerGone},
      {{Place::kReleasing, 1}, true, true, Way::kInTransition},
      {{Place::kPreparing, 0}, true, true, Way::kInTransition},
      {{Place::kNobody, 0}, true, true, Way::kUnowned},
  };
  for (const auto& [route, may_serve, may_forward, way] : cases) {
    EXPECT_EQ(WayOf(view, route, may_serve, may_forward), way)
        << static_cast<int>(route.place) << may_serve << may_forward;
  }
}

TEST(DestinationTest, RefusalsSayWhy) {
  cluster::ClusterView view = ViewOfTwo();
  view.Assign(5, 5, {Place::kElsewhere, 1});
  view.Assign(6, 6, {Place::kElsewhere, 2});
  const struct {
    Way way;
    uint32_t slot;
    absl::StatusCode code;
    v1::ErrorReason reason;
  } cases[] = {
      {Way::kMoved, 5, absl::StatusCode::kFailedPrecondition, v1::SLOT_MOVED},
      {Way::kInTransition, 5, absl::StatusCode::kUnavailable, v1::SLOT_IN_TRANSITION},
      {Way::kUnowned, 5, absl::StatusCode::kUnavailable, v1::SLOT_UNOWNED},
      {Way::kLeaseLost, 5, absl::StatusCode::kUnavailable, v1::LEASE_LOST},
      {Way::kOwnerGone, 6, absl::StatusCode::kUnavailable, v1::PEER_UNREACHABLE},
  };
  for (const auto& [way, slot, code, reason] : cases) {
    const absl::Status status = NotServed(way, view, slot);
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(ReasonOf(status), reason);
    if (way != Way::kOwnerGone) {
      EXPECT_EQ(ErrorInfoOf(status).metadata().at("epoch"), "7");
    }
  }
}

TEST(OperationKeyTest, TheLastKeyCountsAsItDoesForWhoeverParses) {
  v1::SetRequest first;
  first.set_key("first");
  first.set_value("v");
  v1::SetRequest last;
  last.set_key("last");
  const std::string bytes = first.SerializeAsString() + last.SerializeAsString();
  v1::SetRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));
  EXPECT_EQ(KeyOfRequest(bytes).key, parsed.key());
  EXPECT_EQ(KeyOfRequest("").key, "");
  EXPECT_TRUE(KeyOfRequest("").well_formed);
  EXPECT_FALSE(KeyOfRequest(bytes.substr(0, bytes.size() - 1)).well_formed);
  // A group is skipped, with what looks like a key in it.
  const std::string with_group = bytes + "\x1B\x0A\x01x\x1C";
  ASSERT_TRUE(parsed.ParseFromString(with_group));
  EXPECT_TRUE(KeyOfRequest(with_group).well_formed);
  EXPECT_EQ(KeyOfRequest(with_group).key, parsed.key());
  EXPECT_FALSE(KeyOfRequest(bytes + "\x1B").well_formed);
  first.set_key(std::string(4097, 'k'));
  EXPECT_EQ(KeyOfRequest(first.SerializeAsString()).key, "");
}

TEST(OperationKeyTest, FindsWhatOperationsAreAbout) {
  v1::Operation operation;
  operation.mutable_incr()->set_key("n");
  operation.set_timeout_ms(70);
  operation.set_traceparent("t");
  const std::string incr = operation.SerializeAsString();
  const OperationSubject subject = SubjectOfOperation(incr);
  EXPECT_TRUE(subject.problem.ok());
  EXPECT_EQ(subject.key, "n");
  EXPECT_EQ(subject.field, v1::Operation::kIncrFieldNumber);
  EXPECT_EQ(subject.timeout_ms, 70u);
  operation.set_timeout_ms(-1);
  EXPECT_EQ(SubjectOfOperation(operation.SerializeAsString()).timeout_ms, 0u);
  EXPECT_EQ(ReasonOf(SubjectOfOperation(incr + incr).problem), v1::OPERATION_UNKNOWN);
  EXPECT_EQ(ReasonOf(SubjectOfOperation("\x0A\x05x").problem), v1::MALFORMED);
}

TEST(ClusterCursorTest, IsReadAsItWasWritten) {
  const ClusterCursor cursor = {
      .generation = 300, .node = "node", .inside = std::string(24, '\0'), .after = 299};
  const std::string bytes = cursor.Encode();
  const auto read = DecodeClusterCursor(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->generation, 300u);
  EXPECT_EQ(read->node, "node");
  EXPECT_EQ(read->inside, cursor.inside);
  EXPECT_EQ(read->after, 299u);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeClusterCursor(bytes.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(DecodeClusterCursor(bytes + bytes).has_value());
}

// What has become of an operation, as it is counted.
TEST(FateTest, IsOfTheOperationAndNotOfItsCaller) {
  const auto fate_of = [](absl::StatusCode code, v1::ErrorReason reason) {
    return FateOf({.status = MakeError(code, reason, "no")});
  };
  EXPECT_EQ(FateOf({}), Forwarded::kAnswered);
  EXPECT_EQ(fate_of(absl::StatusCode::kUnavailable, v1::PEER_UNREACHABLE), Forwarded::kUnreachable);
  EXPECT_EQ(fate_of(absl::StatusCode::kResourceExhausted, v1::OVERLOADED), Forwarded::kRefused);
  EXPECT_EQ(fate_of(absl::StatusCode::kInvalidArgument, v1::REQUEST_TOO_LARGE),
            Forwarded::kRefused);
  EXPECT_EQ(fate_of(absl::StatusCode::kUnavailable, v1::SLOT_IN_TRANSITION), Forwarded::kMoved);
  EXPECT_EQ(fate_of(absl::StatusCode::kDeadlineExceeded, v1::DEADLINE_PASSED), Forwarded::kLate);
}

TEST(RoutingMetricsTest, SumsWhatAllThreadsCount) {
  cluster::PublishedView view;
  cluster::ServingRight right;
  Router router({.view = &view, .right = &right}, 2);
  router.of(0)->tally()->Count(Forwarded::kAnswered);
  router.of(1)->tally()->Count(Forwarded::kAnswered);
  router.of(1)->tally()->Count(Forwarded::kUnreachable);
  ThreadCounters::Add(&router.of(0)->tally()->moved, 5);
  ThreadCounters::Add(&router.of(0)->tally()->feeds, 3);
  router.of(1)->tally()->Count(FeedEnd::kSilent);
  std::map<std::string, double> values;
  for (const prometheus::MetricFamily& family : RoutingMetrics(&router).Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      const std::string label = metric.label.empty() ? "" : " " + metric.label[0].value;
      values[family.name + label] = metric.counter.value + metric.gauge.value;
    }
  }
  EXPECT_THAT(values,
              testing::ElementsAre(testing::Pair("ferrite_cluster_feed_ends_total moved", 0),
                                   testing::Pair("ferrite_cluster_feed_ends_total refused", 0),
                                   testing::Pair("ferrite_cluster_feed_ends_total silent", 1),
                                   testing::Pair("ferrite_cluster_feed_ends_total unreachable", 0),
                                   testing::Pair("ferrite_cluster_feeds", 3),
                                   testing::Pair("ferrite_cluster_forwarded_total answered", 2),
                                   testing::Pair("ferrite_cluster_forwarded_total late", 0),
                                   testing::Pair("ferrite_cluster_forwarded_total moved", 0),
                                   testing::Pair("ferrite_cluster_forwarded_total refused", 0),
                                   testing::Pair("ferrite_cluster_forwarded_total unreachable", 1),
                                   testing::Pair("ferrite_cluster_lane_bytes", 0),
                                   testing::Pair("ferrite_cluster_moved_total", 5),
                                   testing::Pair("ferrite_cluster_reply_bytes", 0)));
}

}  // namespace
}  // namespace ferrite
