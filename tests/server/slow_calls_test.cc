#include "server/slowlog/slow_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <thread>

#include "ferrite/v1/admin.pb.h"
#include "ferrite/v1/cache.pb.h"
#include "server/slowlog/call_subject.h"
#include "server/slowlog/slow_call_entry.h"
#include "tests/server/caller_from.h"

namespace ferrite {
namespace {

using testing::ElementsAre;

SlowCall CallFor(const std::string& key) {
  SlowCall call;
  call.key = key;
  return call;
}

std::vector<std::string> KeysOf(const std::vector<SlowCall>& calls) {
  std::vector<std::string> keys;
  for (const SlowCall& call : calls) keys.push_back(call.key);
  return keys;
}

TEST(SlowCalls, KeepsTheNewestAndListsThemFirst) {
  SlowCalls log(absl::Milliseconds(10), 3);
  EXPECT_THAT(log.Newest(0, 0), ElementsAre());
  for (const char* key : {"a", "b", "c", "d", "e"}) log.Add(CallFor(key));
  const std::vector<SlowCall> newest = log.Newest(0, 0);
  EXPECT_THAT(KeysOf(newest), ElementsAre("e", "d", "c"));
  EXPECT_EQ(newest.front().id, 5u);
  EXPECT_EQ(newest.back().id, 3u);
  EXPECT_EQ(log.added(), 5u);
}

TEST(SlowCalls, ListsAsManyAsAskedForAndOnlyWhatIsNew) {
  SlowCalls log(absl::Milliseconds(10), 10);
  for (const char* key : {"a", "b", "c", "d"}) log.Add(CallFor(key));
  EXPECT_THAT(KeysOf(log.Newest(2, 0)), ElementsAre("d", "c"));
  EXPECT_THAT(KeysOf(log.Newest(99, 0)), ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(KeysOf(log.Newest(0, 2)), ElementsAre("d", "c"));
  EXPECT_THAT(KeysOf(log.Newest(1, 2)), ElementsAre("d"));
  EXPECT_THAT(KeysOf(log.Newest(0, 4)), ElementsAre());
}

TEST(SlowCalls, ForgetsAllButGoesOnCounting) {
  SlowCalls log(absl::Milliseconds(10), 2);
  for (const char* key : {"a", "b", "c"}) log.Add(CallFor(key));
  EXPECT_EQ(log.Reset(), 2u);
  EXPECT_EQ(log.Reset(), 0u);
  EXPECT_THAT(KeysOf(log.Newest(0, 0)), ElementsAre());
  log.Add(CallFor("d"));
  EXPECT_EQ(log.Newest(0, 0).front().id, 4u);
  EXPECT_EQ(log.added(), 4u);
}

TEST(SlowCalls, ThoseThatWaitedDoNotPushOutWhomTheyWaitedFor) {
  SlowCalls log(absl::Milliseconds(10), 2);
  SlowCall culprit = CallFor("culprit");
  culprit.times.execute_ns = 50'000'000;
  log.Add(culprit);
  for (const char* key : {"a", "b", "c"}) {
    SlowCall victim = CallFor(key);
    victim.times.queue_ns = 50'000'000;
    log.Add(victim);
  }
  EXPECT_THAT(KeysOf(log.Newest(0, 0)), ElementsAre("c", "b", "culprit"));
  EXPECT_THAT(KeysOf(log.Newest(2, 0)), ElementsAre("c", "b"));
  EXPECT_THAT(KeysOf(log.Newest(0, 1)), ElementsAre("c", "b"));
  culprit.key = "another";
  log.Add(culprit);
  EXPECT_THAT(KeysOf(log.Newest(0, 0)), ElementsAre("another", "c", "b", "culprit"));
  EXPECT_EQ(log.Reset(), 4u);
}

TEST(SlowCalls, WaitingAndExecutionTogetherMakeACallSlow) {
  const SlowCalls log(absl::Milliseconds(10), 1);
  EXPECT_FALSE(log.IsSlow({.queue_ns = 4'000'000, .execute_ns = 5'999'999}));
  EXPECT_TRUE(log.IsSlow({.queue_ns = 4'000'000, .execute_ns = 6'000'000}));
}

TEST(SlowCalls, AThresholdOfZeroTakesAllAndNoneTakesNone) {
  EXPECT_TRUE(SlowCalls(absl::ZeroDuration(), 1).IsSlow({}));
  const SlowCalls none(std::nullopt, 1);
  EXPECT_FALSE(none.IsSlow({.queue_ns = 3'600'000'000'000, .execute_ns = 0}));
  EXPECT_FALSE(none.threshold().has_value());
}

TEST(SlowCalls, TheThresholdCanChange) {
  SlowCalls log(absl::Milliseconds(10), 2);
  const CallTimes times{.queue_ns = 0, .execute_ns = 5'000'000};
  EXPECT_FALSE(log.IsSlow(times));
  log.SetThreshold(absl::Milliseconds(5));
  EXPECT_TRUE(log.IsSlow(times));
  EXPECT_EQ(log.threshold(), absl::Milliseconds(5));
  log.SetThreshold(std::nullopt);
  EXPECT_FALSE(log.IsSlow(times));
  EXPECT_EQ(log.threshold(), std::nullopt);
}

TEST(SlowCalls, ManyThreadsAddWhileOthersLook) {
  constexpr int kThreads = 4, kCalls = 500;
  SlowCalls log(absl::ZeroDuration(), 16);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < kCalls; ++call) {
        log.Add(CallFor("a key that is too long to lie within its string"));
        const std::vector<SlowCall> newest = log.Newest(8, 0);
        for (size_t n = 1; n < newest.size(); ++n) EXPECT_LT(newest[n].id, newest[n - 1].id);
        if (call % 100 == 99) log.Reset();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log.added(), uint64_t{kThreads} * kCalls);
}

CallSubject SubjectOfMessage(Method method, const google::protobuf::MessageLite& message) {
  const std::string bytes = message.SerializeAsString();
  return SubjectOf(method, Request(bytes));
}

TEST(CallSubject, IsReadOffTheRequest) {
  v1::GetRequest get;
  get.set_key(std::string(100, 'k'));
  EXPECT_EQ(SubjectOfMessage(Method::kGet, get).key, std::string(kSubjectKeyBytes, 'k'));
  EXPECT_EQ(SubjectOfMessage(Method::kGet, get).keys, 1u);
  v1::MGetRequest mget;
  mget.add_keys("a");
  mget.add_keys("b");
  EXPECT_EQ(SubjectOfMessage(Method::kMGet, mget).key, "");
  EXPECT_EQ(SubjectOfMessage(Method::kMGet, mget).keys, 2u);
  v1::MSetRequest mset;
  mset.add_entries();
  EXPECT_EQ(SubjectOfMessage(Method::kMSet, mset).keys, 1u);
  v1::PipelineRequest frame;
  for (int i = 0; i < 3; ++i) frame.add_operations();
  EXPECT_EQ(SubjectOfMessage(Method::kPipeline, frame).keys, 3u);
  v1::ScanRequest scan;
  scan.set_prefix("user:");
  EXPECT_EQ(SubjectOfMessage(Method::kScan, scan).key, "user:");
  EXPECT_EQ(SubjectOfMessage(Method::kFlush, v1::FlushRequest()).keys, 0u);
}

TEST(CallSubject, OfAFrameNamesEachTraceOnce) {
  const auto trace_parent = [](int trace) {
    return "00-" + std::string(30, 'a') + std::to_string(10 + trace) + "-00f067aa0ba902b7-01";
  };
  v1::PipelineRequest frame;
  frame.add_operations();
  frame.add_operations()->set_traceparent("00-wrong");
  for (const int trace : {1, 2, 1}) frame.add_operations()->set_traceparent(trace_parent(trace));
  std::vector<TraceParent> traces = SubjectOfMessage(Method::kPipeline, frame).traces;
  ASSERT_EQ(traces.size(), 2u);
  EXPECT_EQ(traces[0].trace_id(), std::string(30, 'a') + "11");
  EXPECT_EQ(traces[1].trace_id(), std::string(30, 'a') + "12");
  EXPECT_EQ(traces[1].span_id(), "00f067aa0ba902b7");
  for (int i = 0; i < 50; ++i) frame.add_operations()->set_traceparent(trace_parent(i));
  EXPECT_EQ(SubjectOfMessage(Method::kPipeline, frame).traces.size(), kSubjectTraces);
}

TEST(CallSubject, OfALargeRequestIsReadOffItsBeginning) {
  v1::SetRequest set;
  set.set_key("large");
  set.set_value(std::string(1 << 20, 'v'));
  EXPECT_EQ(SubjectOfMessage(Method::kSet, set).key, "large");
  EXPECT_EQ(SubjectOfMessage(Method::kSet, set).keys, 1u);
  v1::MSetRequest mset;
  for (int i = 0; i < 2; ++i) *mset.add_entries() = set;
  EXPECT_EQ(SubjectOfMessage(Method::kMSet, mset).keys, 0u);
}

// The server's plan for its memory counts on it.
TEST(SlowCalls, NoCallTakesMoreMemoryThanIsSaid) {
  constexpr size_t kCalls = 1'000;
  v1::PipelineRequest frame;
  for (size_t i = 0; i < 2 * kSubjectTraces; ++i) {
    frame.add_operations()->set_traceparent("00-" + std::string(30, 'a') + std::to_string(10 + i) +
                                            "-00f067aa0ba902b7-01");
  }
  const std::string frame_bytes = frame.SerializeAsString();
  v1::GetRequest get;
  get.set_key(std::string(4096, 'k'));
  const std::string get_bytes = get.SerializeAsString();
  const CallerFrom caller(std::string(1000, 'p'));
  for (const auto& [method, bytes] :
       {std::pair{Method::kPipeline, &frame_bytes}, std::pair{Method::kGet, &get_bytes}}) {
    SlowCalls log(absl::ZeroDuration(), kCalls);
    const size_t before = mallinfo2().uordblks;
    for (size_t i = 0; i < kCalls; ++i)
      AddSlowCall(&log, {.method = method, .times = {}}, caller, absl::OkStatus(), Request(*bytes));
    EXPECT_LE((mallinfo2().uordblks - before) / kCalls, kSlowCallBytes);
    EXPECT_EQ(log.Newest(1, 0).front().peer.size(), kPeerBytes);
  }
}

}  // namespace
}  // namespace ferrite
