// What an operation of a frame says beside its request, and how errors and values share the reply.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "server/handlers/operation_error.h"
#include "tests/server/handlers_side.h"

namespace ferrite {
namespace {

using testing::HasSubstr;
using Clock = WireHandlers::Clock;

constexpr int64_t kHourMs = 3'600'000;

class FrameTest : public testing::Test {
 protected:
  // Executes a frame that has waited for so long.
  void Execute(const v1::PipelineRequest& frame, Clock::duration waited = {}) {
    ReplyWriter reply;
    const std::string bytes = frame.SerializeAsString();
    ASSERT_TRUE(side_.wire.Pipeline(Request(bytes), Clock::now() - waited, &reply).ok());
    ASSERT_TRUE(outcomes_.ParseFromString(TakeBytes(&reply)));
    ASSERT_EQ(outcomes_.results_size(), frame.operations_size());
  }
  v1::ErrorReason ReasonOf(int i) const { return outcomes_.results(i).error().reason(); }
  // One operation of each kind and shape on a key of its own, from `first_key` on.
  v1::PipelineRequest OneOfEach(int first_key) {
    v1::PipelineRequest frame;
    int key = first_key;
    const auto name = [&key] { return "k" + std::to_string(key++); };
    frame.add_operations()->mutable_set()->set_key(name());
    frame.add_operations()->mutable_set()->set_key(name());
    frame.mutable_operations(1)->mutable_set()->set_condition(v1::SET_CONDITION_ABSENT);
    frame.add_operations()->mutable_incr()->set_key(name());
    frame.add_operations()->mutable_get()->set_key(name());
    frame.add_operations()->mutable_get()->set_key(name());
    frame.mutable_operations(4)->mutable_get()->set_if_version_not(1);
    frame.add_operations()->mutable_delete_()->set_key("there");
    frame.add_operations()->mutable_touch()->set_key("there");
    frame.mutable_operations(6)->mutable_touch()->set_persist(true);
    frame.add_operations()->mutable_publish()->set_channel("k1");
    return frame;
  }

  Side side_{size_t{16} << 20};
  v1::PipelineResponse outcomes_;
};

TEST_F(FrameTest, OperationsThatAreTooLateAreNotExecuted) {
  side_.store.Set("there", "v", {.expiry = Expiry::After(kHourMs)});
  const uint64_t events = side_.events.log().last_sequence();
  for (const int64_t timeout_ms : {int64_t{0}, int64_t{-1}, INT64_MIN, int64_t{59'999}}) {
    v1::PipelineRequest frame = OneOfEach(0);
    for (v1::Operation& operation : *frame.mutable_operations()) {
      operation.set_timeout_ms(timeout_ms);
    }
    Execute(frame, std::chrono::minutes(1));
    for (int i = 0; i < frame.operations_size(); ++i) {
      EXPECT_EQ(ReasonOf(i), v1::DEADLINE_PASSED) << i;
      EXPECT_EQ(outcomes_.results(i).error().code(), 4);
      EXPECT_FALSE(outcomes_.results(i).error().has_retry_pushback_ms());
    }
  }
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(side_.store.Exists("k" + std::to_string(i)));
  EXPECT_TRUE(side_.store.Touch("there", std::nullopt).ttl_ms.has_value());
  EXPECT_EQ(side_.events.log().last_sequence(), events);
  EXPECT_EQ(side_.counters.Sum(
                [](const ThreadCounters& thread) { return thread.count(ShedReason::kDeadline); }),
            4u * 8);
}

TEST_F(FrameTest, OperationsThatAreInTimeAreExecuted) {
  int key = 0;
  for (const int64_t timeout_ms : {int64_t{60'000} + kHourMs, int64_t{UINT32_MAX} - 1,
                                   int64_t{UINT32_MAX}, int64_t{UINT32_MAX} + 1, INT64_MAX}) {
    side_.store.Set("there", "v");
    v1::PipelineRequest frame = OneOfEach(key += 10);
    for (v1::Operation& operation : *frame.mutable_operations()) {
      operation.set_timeout_ms(timeout_ms);
    }
    Execute(frame, std::chrono::minutes(1));
    for (int i = 0; i < frame.operations_size(); ++i)
      EXPECT_FALSE(outcomes_.results(i).has_error());
  }
}

TEST_F(FrameTest, TheLateOperationsOfAFrameDoNotStopTheOthers) {
  v1::PipelineRequest frame;
  for (int i = 0; i < 200; ++i) {
    v1::Operation* const operation = frame.add_operations();
    operation->mutable_set()->set_key("k" + std::to_string(i));
    if (i % 3 == 0) operation->set_timeout_ms(i % 2 == 0 ? 1000 : kHourMs);
  }
  Execute(frame, std::chrono::minutes(1));
  for (int i = 0; i < 200; ++i) {
    const bool late = i % 6 == 0;
    EXPECT_EQ(ReasonOf(i) == v1::DEADLINE_PASSED, late) << i;
    EXPECT_EQ(side_.store.Exists("k" + std::to_string(i)), !late) << i;
  }
}

TEST_F(FrameTest, AnErrorCarriesTheFactsThatACallWouldHaveHad) {
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_get()->set_key(std::string(5000, 'k'));
  frame.add_operations()->mutable_incr()->set_key("n");
  frame.mutable_operations(1)->mutable_incr()->set_max(-1);
  Execute(frame);
  EXPECT_EQ(outcomes_.results(0).error().metadata().at("limit"), "4096");
  EXPECT_EQ(outcomes_.results(0).error().metadata().at("size"), "5000");
  EXPECT_EQ(outcomes_.results(1).error().metadata().at("max"), "-1");
  EXPECT_FALSE(outcomes_.results(0).error().has_retry_pushback_ms());
}

TEST_F(FrameTest, AFullStoreSaysWhenToComeAgain) {
  Store full({.shards = 1, .max_memory_bytes = 1 << 20, .evict = false});
  EventHub events(&full, {});
  CacheHandlers cache(&full, &side_.replays, &events, &side_.clock, size_t{16} << 20);
  WireHandlers wire(&full, &events, &cache);
  v1::PipelineRequest frame;
  for (const bool simple : {true, false}) {
    v1::SetRequest* const set = frame.add_operations()->mutable_set();
    set->set_key("k");
    set->set_value(std::string(4 << 20, 'v'));
    set->set_keep_ttl(!simple);
  }
  ReplyWriter reply;
  const std::string bytes = frame.SerializeAsString();
  ASSERT_TRUE(wire.Pipeline(Request(bytes), Clock::now(), &reply).ok());
  ASSERT_TRUE(outcomes_.ParseFromString(TakeBytes(&reply)));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ReasonOf(i), v1::MEMORY_FULL);
    EXPECT_EQ(outcomes_.results(i).error().metadata().at("limit"),
              std::to_string(full.max_memory_bytes()));
    EXPECT_GT(outcomes_.results(i).error().retry_pushback_ms(), 0);
  }
  v1::MSetRequest batch;
  *batch.add_entries() = frame.operations(0).set();
  *batch.add_entries() = frame.operations(0).set();
  batch.mutable_entries(1)->set_request_id("id");
  v1::MSetResponse results;
  ASSERT_TRUE(cache.MSet(batch, &results).ok());
  for (const v1::MSetResult& result : results.results()) {
    EXPECT_EQ(result.error().reason(), v1::MEMORY_FULL);
    EXPECT_GT(result.error().retry_pushback_ms(), 0);
  }
}

TEST_F(FrameTest, TheFirstValueOfAReplyMayBeAsLargeAsItIs) {
  side_.store.Set("large", std::string(kMaxReplyBytes + 1, 'v'));
  v1::PipelineRequest frame;
  for (int i = 0; i < 3; ++i) frame.add_operations()->mutable_set()->set_key("k");
  frame.add_operations()->mutable_get()->set_key("absent");
  frame.add_operations()->mutable_get()->set_key("large");
  for (int i = 0; i < 100; ++i) frame.add_operations()->mutable_get()->set_key("absent");
  frame.add_operations()->mutable_get()->set_key("large");
  Execute(frame);
  EXPECT_EQ(outcomes_.results(4).get().value().size(), kMaxReplyBytes + 1);
  for (int i = 5; i < 105; ++i) EXPECT_FALSE(outcomes_.results(i).has_error());
  EXPECT_EQ(ReasonOf(105), v1::REPLY_TOO_LARGE);
  EXPECT_EQ(outcomes_.results(105).error().metadata().at("limit"), std::to_string(kMaxReplyBytes));
  EXPECT_THAT(outcomes_.results(105).error().message(), HasSubstr("3.5 MiB"));
}

TEST_F(FrameTest, AReadWithOptionsNeedsRoomForItsValueAndNotForTheLargestThereMayBe) {
  side_.store.Set("large", std::string(kMaxReplyBytes + 1, 'v'));
  for (const char* key : {"a", "b", "c"}) side_.store.Set(key, "small");
  v1::PipelineRequest frame;
  for (const char* key : {"a", "b", "absent", "large"}) {
    v1::SetRequest* const set = frame.add_operations()->mutable_set();
    set->set_key(key);
    set->set_value("new");
    set->set_return_previous(true);
  }
  v1::GetRequest* const get = frame.add_operations()->mutable_get();
  get->set_key("c");
  get->set_touch_ttl_ms(kHourMs);
  Execute(frame);
  EXPECT_EQ(outcomes_.results(0).set().previous().value(), "small");
  EXPECT_EQ(outcomes_.results(1).set().previous().value(), "small");
  EXPECT_TRUE(outcomes_.results(2).set().stored());
  EXPECT_EQ(ReasonOf(3), v1::REPLY_TOO_LARGE);
  EXPECT_EQ(outcomes_.results(4).get().value(), "small");
  ReadResult unchanged;
  side_.store.Get("large", {}, &unchanged);
  EXPECT_EQ(unchanged.value.view().size(), kMaxReplyBytes + 1);

  // Alone, or as the first that has a value, it has room.
  v1::PipelineRequest alone;
  alone.add_operations()->mutable_get()->set_key("nothing");
  alone.add_operations()->mutable_get()->set_key("nothing");
  alone.mutable_operations(1)->mutable_get()->set_touch_ttl_ms(kHourMs);
  *alone.add_operations() = frame.operations(3);
  Execute(alone);
  EXPECT_EQ(outcomes_.results(2).set().previous().value().size(), kMaxReplyBytes + 1);
}

}  // namespace
}  // namespace ferrite
