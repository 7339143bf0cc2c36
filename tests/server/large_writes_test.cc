// Writes that need much room, as turns: no server.

#include "server/handlers/large_writes.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/metrics/thread_counters.h"
#include "tests/server/fake_transport.h"
#include "tests/store/fake_clock.h"

namespace ferrite {
namespace {

class LargeWritesTest : public testing::Test {
 protected:
  static constexpr size_t kLimit = 4 << 20;

  LargeWritesTest() {
    counters_.AttachThread();
    for (int i = 0; i < 100'000; ++i) store_.Set("k" + std::to_string(i), "v");
  }

  // Takes the steps of a call that `handler` answers.
  template <typename Handler>
  absl::Status Answered(const google::protobuf::MessageLite& message, Handler handler) {
    const std::string bytes = message.SerializeAsString();
    const Request request(bytes);
    Turn turn(request, Turn::Clock::now(), caller_, &reply_, nullptr);
    absl::Status status = handler(&turn);
    const std::unique_ptr<Answer> answer = turn.TakeAnswer();
    if (!status.ok() || answer == nullptr) return status;
    CallEnd end;
    steps_ = 1;
    while (answer->Advance(&reply_, &end) == Answer::Next::kYield) ++steps_;
    return end.status;
  }

  CounterRegistry counters_;
  FakeClock clock_;
  Store store_{{.max_memory_bytes = kLimit, .clock = &clock_}};
  ReplayWindow replays_{1 << 20, &clock_};
  EventHub events_{&store_, {}};
  CacheHandlers cache_{&store_, &replays_, &events_, &clock_, 2 << 20};
  WireHandlers wire_{&store_, &events_, &cache_};
  FakeTransport caller_;
  ReplyWriter reply_;
  int steps_ = 0;
};

TEST_F(LargeWritesTest, ALargeSetIsStoredInSteps) {
  v1::SetRequest request;
  request.set_key("large");
  request.set_value(std::string(2 << 20, 'v'));
  ASSERT_TRUE(
      Answered(request, [&](Turn* turn) { return AnswerSet(&store_, &cache_, turn); }).ok());
  EXPECT_GT(steps_, 8);
  ReadResult result;
  store_.Get("large", {}, &result);
  ASSERT_TRUE(result.found);
  EXPECT_EQ(result.value.view(), request.value());
}

TEST_F(LargeWritesTest, ALargeSetWhoseConditionDoesNotHoldEvictsNobody) {
  v1::SetRequest request;
  request.set_key("absent");
  request.set_value(std::string(2 << 20, 'v'));
  request.set_if_version(7);
  const uint64_t before = store_.Stats().evictions;
  ASSERT_TRUE(
      Answered(request, [&](Turn* turn) { return AnswerSet(&store_, &cache_, turn); }).ok());
  v1::SetResponse response;
  ASSERT_TRUE(response.ParseFromString(TakeBytes(&reply_)));
  EXPECT_FALSE(response.stored());
  EXPECT_EQ(store_.Stats().evictions, before);
}

// Whichever way it comes.
TEST_F(LargeWritesTest, OverwritingALargeValueEvictsNobodyElse) {
  using Write = std::function<absl::Status(const v1::SetRequest&)>;
  const std::vector<Write> ways = {
      [&](const v1::SetRequest& set) {
        return Answered(set, [&](Turn* turn) { return AnswerSet(&store_, &cache_, turn); });
      },
      [&](const v1::SetRequest& set) {
        v1::MSetRequest batch;
        *batch.add_entries() = set;
        return Answered(batch, [&](Turn* turn) { return AnswerMSet(&store_, &cache_, turn); });
      },
      [&](const v1::SetRequest& set) {
        v1::PipelineRequest frame;
        *frame.add_operations()->mutable_set() = set;
        return Answered(frame, [&](Turn* turn) { return AnswerFrame(&store_, &wire_, turn); });
      },
  };
  v1::SetRequest plain, optional, refused, repeated;
  plain.set_key("large");
  plain.set_value(std::string(2 << 20, 'v'));
  optional = refused = repeated = plain;
  optional.set_condition(v1::SET_CONDITION_PRESENT);
  refused.set_condition(v1::SET_CONDITION_ABSENT);
  repeated.set_key("another");
  repeated.set_request_id("id");
  store_.Set("large", plain.value());
  while (store_.HasExcess()) store_.Sweep();
  ASSERT_TRUE(store_.Exists("large"));
  for (const Write& write : ways) {
    for (const v1::SetRequest& request : {plain, optional, refused}) {
      const uint64_t before = store_.Stats().evictions;
      EXPECT_TRUE(write(request).ok());
      TakeBytes(&reply_);
      EXPECT_EQ(store_.Stats().evictions, before) << request.condition();
      ReadResult result;
      store_.Get("large", {}, &result);
      EXPECT_TRUE(result.found);
    }
  }
  // A repetition is no write: it makes no room again for what is gone by then.
  EXPECT_TRUE(ways.front()(repeated).ok());
  store_.Delete("another");
  for (int i = 0; i < 100'000; ++i) store_.Set("k" + std::to_string(i), "v");
  while (store_.HasExcess()) store_.Sweep();
  for (const Write& write : ways) {
    const uint64_t before = store_.Stats().evictions;
    EXPECT_TRUE(write(repeated).ok());
    TakeBytes(&reply_);
    EXPECT_EQ(store_.Stats().evictions, before);
  }
}

TEST_F(LargeWritesTest, ALargeBatchThatIsRefusedChangesNothing) {
  v1::MSetRequest request;
  for (int i = 0; i < 2; ++i) {
    request.add_entries()->set_key(i == 0 ? "k" : "");  // the second is refused
    request.mutable_entries(i)->set_value(std::string(1 << 20, 'v'));
  }
  const uint64_t before = store_.Stats().evictions;
  EXPECT_TRUE(absl::IsInvalidArgument(
      Answered(request, [&](Turn* turn) { return AnswerMSet(&store_, &cache_, turn); })));
  EXPECT_EQ(store_.Stats().evictions, before);
}

}  // namespace
}  // namespace ferrite
