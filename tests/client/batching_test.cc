// Automatic batching against the real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "client/error.h"
#include "client/future.h"
#include "client/retry.h"
#include "tests/client/client_fixture.h"
#include "tests/client/server_process.h"

namespace ferrite {
namespace {

v1::SetRequest SetOf(const std::string& key, const std::string& value) {
  v1::SetRequest request;
  request.set_key(key);
  request.set_value(value);
  return request;
}

v1::IncrRequest IncrOf(const std::string& key) {
  v1::IncrRequest request;
  request.set_key(key);
  return request;
}

class BatchingTest : public testing::Test {
 protected:
  ServerProcess server_;
  std::unique_ptr<Client> client_ = ClientOf(server_.address());

  Future<v1::GetResponse> Get(const std::string& key, const CallOptions& options = {}) {
    return FutureOf<v1::GetResponse>(
        [&](auto done) { client_->GetAsync(GetOf(key), options, std::move(done)); });
  }
  Future<v1::SetResponse> Set(const std::string& key, const std::string& value) {
    return FutureOf<v1::SetResponse>(
        [&](auto done) { client_->SetAsync(SetOf(key, value), {}, std::move(done)); });
  }
  Future<v1::IncrResponse> Incr(const v1::IncrRequest& request) {
    return FutureOf<v1::IncrResponse>(
        [&](auto done) { client_->IncrAsync(request, {}, std::move(done)); });
  }
};

TEST_F(BatchingTest, EachCallOfAConnectionHasItsOwnOutcomeInOrder) {
  auto set = Set("n", "1");
  auto incr = Incr(IncrOf("n"));
  auto text = Set("t", "text");
  auto not_a_counter = Incr(IncrOf("t"));
  auto empty = Get("");
  auto get = Get("n");
  v1::DeleteRequest delete_request;
  delete_request.set_key("n");
  auto deleted = FutureOf<v1::DeleteResponse>(
      [&](auto done) { client_->DeleteAsync(delete_request, {}, std::move(done)); });
  v1::TouchRequest touch_request;
  touch_request.set_key("n");
  auto touched = FutureOf<v1::TouchResponse>(
      [&](auto done) { client_->TouchAsync(touch_request, {}, std::move(done)); });

  EXPECT_TRUE(set.get()->stored());
  EXPECT_EQ(incr.get()->value(), 2);
  EXPECT_TRUE(text.get()->stored());
  const auto refused = not_a_counter.get();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused.status()), "NOT_A_COUNTER");
  EXPECT_EQ(ReasonOf(empty.get().status()), "KEY_EMPTY");
  EXPECT_EQ(get.get()->value(), "2");
  EXPECT_TRUE(deleted.get()->deleted());
  EXPECT_FALSE(touched.get()->found());
}

TEST_F(BatchingTest, TenThousandCallsFromManyThreadsGetTheirOwnAnswers) {
  constexpr int kThreads = 16;
  constexpr int kCalls = 625;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<Future<v1::SetResponse>> sets;
      std::vector<Future<v1::IncrResponse>> incrs;
      std::vector<Future<v1::GetResponse>> gets;
      const auto name = [t](int i) { return std::to_string(t) + ":" + std::to_string(i); };
      for (int i = 0; i < kCalls; ++i) sets.push_back(Set(name(i), "of " + name(i)));
      for (int i = 0; i < kCalls; ++i) incrs.push_back(Incr(IncrOf("counter")));
      for (int i = 0; i < kCalls; ++i) EXPECT_TRUE(sets[i].get()->stored());
      for (int i = 0; i < kCalls; ++i) gets.push_back(Get(name(i)));
      for (int i = 0; i < kCalls; ++i) EXPECT_EQ(gets[i].get()->value(), "of " + name(i));
      for (auto& incr : incrs) EXPECT_TRUE(incr.get().ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(client_->Get("counter")->value(), std::to_string(kThreads * kCalls));
}

TEST_F(BatchingTest, SynchronousCallersShareFramesToo) {
  client_ = ClientOf(server_.address(), {.channels_per_node = 3, .completion_threads = 2});
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      const std::string key = "k" + std::to_string(t);
      for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(client_->Set(key, std::to_string(i)).ok());
        ASSERT_EQ(client_->Get(key)->value(), std::to_string(i));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(BatchingTest, LargeValuesPassAndTooLargeOnesAreRefused) {
  const std::string large(1 << 20, 'x');
  std::vector<Future<v1::SetResponse>> sets;
  for (int i = 0; i < 12; ++i) sets.push_back(Set(std::to_string(i), large));
  for (auto& set : sets) EXPECT_TRUE(set.get()->stored());
  // More than fits in one reply.
  std::vector<Future<v1::GetResponse>> gets;
  for (int i = 0; i < 12; ++i) gets.push_back(Get(std::to_string(i)));
  for (auto& get : gets) EXPECT_EQ(get.get()->value(), large);
  EXPECT_EQ(ReasonOf(Set("k", large + "x").get().status()), "VALUE_TOO_LARGE");
  EXPECT_EQ(ReasonOf(Get(std::string(5000, 'k')).get().status()), "KEY_TOO_LARGE");
}

TEST_F(BatchingTest, TheLargestValueThatAServerMayTakeIsReadByEveryCall) {
  const ServerProcess server("127.0.0.1:0", {"--max-value-bytes=64MiB"});
  client_ = ClientOf(server.address());
  const std::string largest(64 << 20, 'x');
  ASSERT_TRUE(Set("k", largest).get().ok());
  EXPECT_TRUE(Get("k").get()->value() == largest);
  const auto batch = client_->MGet({"absent", "k"});
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(batch->results(1).value() == largest);
  v1::SetRequest swap = SetOf("k", "small");
  swap.set_return_previous(true);
  const auto swapped = client_->Set(swap);
  ASSERT_TRUE(swapped.ok()) << swapped.status();
  EXPECT_TRUE(swapped->previous().value() == largest);
}

TEST_F(BatchingTest, AFullServerSaysWhenToComeAgainHoweverTheCallTravels) {
  const ServerProcess server("127.0.0.1:0", {"--max-memory=64MiB", "--eviction=noeviction"});
  for (const bool batching : {true, false}) {
    client_ = ClientOf(server.address(),
                       {.retry = {.max_attempts = 1}, .batching = {.enabled = batching}});
    absl::Status full;
    // Too small to travel alone.
    for (int i = 0; full.ok(); ++i) {
      full = Set(std::to_string(batching) + std::to_string(i), std::string(60'000, 'v'))
                 .get()
                 .status();
    }
    EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ReasonOf(full), "MEMORY_FULL");
    EXPECT_GT(RetryAfter(full), absl::ZeroDuration());
  }
  v1::MSetRequest request;
  *request.add_entries() = SetOf("k", std::string(1 << 20, 'v'));
  const auto batch = client_->MSet(request);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_GT(RetryAfter(ToAbslStatus(batch->results(0).error())), absl::ZeroDuration());
}

TEST_F(BatchingTest, TheSlowLogNamesTheTraceOfACallHoweverItTravels) {
  const ServerProcess server("127.0.0.1:0", {"--slowlog-threshold=0"});
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  for (const bool batching : {true, false}) {
    client_ = ClientOf(server.address(), {.batching = {.enabled = batching}});
    const CallOptions options = {.traceparent = "00-" + trace + "-00f067aa0ba902b7-01"};
    ASSERT_TRUE(Get("k", options).get().ok());
    v1::SlowLogRequest newest;
    newest.set_limit(1);
    const auto log = client_->SlowLog(newest);
    ASSERT_TRUE(log.ok()) << log.status();
    ASSERT_EQ(log->calls_size(), 1);
    EXPECT_EQ(log->calls(0).method(), batching ? "Pipeline" : "Get");
    EXPECT_EQ(log->calls(0).trace_id(), trace);
    EXPECT_EQ(log->calls(0).span_id(), "00f067aa0ba902b7");
  }
}

TEST_F(BatchingTest, DeadlinesHoldOverAFrozenServer) {
  ASSERT_TRUE(Set("k", "v").get().ok());
  server_.Freeze();
  std::vector<Future<v1::GetResponse>> calls;
  for (int i = 0; i < 1000; ++i) {
    calls.push_back(Get("k", {.timeout = absl::Milliseconds(20 + i % 30)}));
  }
  for (auto& call : calls) {
    EXPECT_EQ(call.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  server_.Thaw();
  EXPECT_EQ(Get("k").get()->value(), "v");
}

TEST_F(BatchingTest, CallsAreCancelledOverAFrozenServer) {
  ASSERT_TRUE(Set("k", "v").get().ok());
  server_.Freeze();
  auto stop = std::make_shared<Cancellation>();
  std::vector<Future<v1::GetResponse>> calls;
  for (int i = 0; i < 1000; ++i) calls.push_back(Get("k", {.cancellation = stop}));
  stop->Cancel();
  for (auto& call : calls) EXPECT_EQ(call.get().status().code(), absl::StatusCode::kCancelled);
  server_.Thaw();
  EXPECT_EQ(Get("k").get()->value(), "v");
}

TEST_F(BatchingTest, WorksWithoutBatching) {
  client_ = ClientOf(server_.address(), {.batching = {.enabled = false}});
  EXPECT_TRUE(Set("k", "v").get()->stored());
  EXPECT_EQ(Get("k").get()->value(), "v");
}

TEST_F(BatchingTest, TheClientMayGoAtAnyMoment) {
  for (int round = 0; round < 30; ++round) {
    Outcomes outcomes;
    auto client = ClientOf(server_.address(), {.channels_per_node = 2, .completion_threads = 2});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) {
          client->GetAsync(GetOf("k"), {}, [&](const auto& outcome) { outcomes.Add(outcome); });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    client.reset();
    ASSERT_EQ(outcomes.all(), 200);
  }
}

TEST(BatchingCrashTest, RepeatableCallsOutlastItAndOthersFail) {
  auto server = std::make_unique<ServerProcess>();
  const std::string address = server->address();
  auto client = ClientOf(
      address, {.retry = {.max_attempts = 100'000, .max_backoff = absl::Milliseconds(20)}});
  ASSERT_TRUE(client->Set("k", "v").ok());
  server->Freeze();
  auto incr = FutureOf<v1::IncrResponse>(
      [&](auto done) { client->IncrAsync(IncrOf("n"), {}, std::move(done)); });
  std::vector<Future<v1::GetResponse>> gets;
  std::vector<Future<v1::IncrResponse>> incrs;
  for (int i = 0; i < 200; ++i) {
    gets.push_back(FutureOf<v1::GetResponse>(
        [&](auto done) { client->GetAsync(GetOf("k"), {}, std::move(done)); }));
    v1::IncrRequest request = IncrOf("with id");
    request.set_request_id(NewRequestId());
    incrs.push_back(FutureOf<v1::IncrResponse>(
        [&](auto done) { client->IncrAsync(request, {}, std::move(done)); }));
  }
  server->Kill();
  EXPECT_EQ(incr.get().status().code(), absl::StatusCode::kUnavailable);
  server = std::make_unique<ServerProcess>(address);
  for (auto& get : gets) EXPECT_FALSE(get.get()->found());  // a new server, empty
  for (auto& with_id : incrs) EXPECT_TRUE(with_id.get().ok());
  EXPECT_EQ(client->Get("with id")->value(), "200");
}

}  // namespace
}  // namespace ferrite
