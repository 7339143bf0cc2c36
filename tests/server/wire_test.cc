// The calls that are served from and to bytes of the wire, compared with what protobuf makes of the
// same bytes and what the typed handlers answer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "server/call/limits.h"
#include "server/call/status.h"
#include "tests/server/handlers_side.h"

namespace ferrite {
namespace {

using google::protobuf::MessageLite;
using testing::HasSubstr;

// A message that was received in pieces of so many bytes.
Request RequestOf(std::string_view bytes, size_t piece_bytes) {
  if (piece_bytes == SIZE_MAX) return Request(bytes);
  std::vector<std::string_view> pieces;
  for (size_t begin = 0; begin < bytes.size(); begin += piece_bytes) {
    pieces.push_back(bytes.substr(begin, piece_bytes));
  }
  return Request(std::move(pieces));
}

class WireTest : public testing::Test {
 protected:
  using Method = absl::Status (WireHandlers::*)(const Request&, ReplyWriter*);

  // Calls `method` with the message; expects the answer to be a `Response`.
  template <typename Response>
  absl::Status Call(Method method, const MessageLite& request, Response* response) {
    ReplyWriter reply;
    const std::string bytes = request.SerializeAsString();
    const absl::Status status = (side_.wire.*method)(RequestOf(bytes, piece_bytes_), &reply);
    response->Clear();
    if (status.ok()) {
      EXPECT_TRUE(response->ParseFromString(TakeBytes(&reply)));
    }
    return status;
  }
  absl::Status Pipeline(const v1::PipelineRequest& frame) {
    const std::string bytes = frame.SerializeAsString();
    return Pipeline(RequestOf(bytes, piece_bytes_));
  }
  absl::Status Pipeline(const Request& frame) {
    ReplyWriter reply;
    const absl::Status status = side_.wire.Pipeline(frame, WireHandlers::Clock::now(), &reply);
    outcomes_.Clear();
    if (status.ok()) {
      EXPECT_TRUE(outcomes_.ParseFromString(TakeBytes(&reply)));
    }
    return status;
  }
  void Set(const std::string& key, const std::string& value) { side_.store.Set(key, value, {}); }

  Side side_;
  size_t piece_bytes_ = SIZE_MAX;
  v1::PipelineResponse outcomes_;
};

TEST_F(WireTest, GetAnswersWithEachFieldAsTheContractNumbersIt) {
  const SetResult set = side_.store.Set("k", "value", {.expiry = Expiry::After(5000)});
  v1::GetRequest request;
  request.set_key("k");
  v1::GetResponse response;
  ASSERT_TRUE(Call(&WireHandlers::Get, request, &response).ok());
  EXPECT_TRUE(response.found());
  EXPECT_EQ(response.value(), "value");
  EXPECT_EQ(response.version(), set.version);
  EXPECT_EQ(response.ttl_ms(), 5000);
  EXPECT_FALSE(response.not_modified());
  request.set_if_version_not(set.version);
  ASSERT_TRUE(Call(&WireHandlers::Get, request, &response).ok());
  EXPECT_TRUE(response.not_modified());
  EXPECT_EQ(response.value(), "");
  request.set_key("absent");
  ASSERT_TRUE(Call(&WireHandlers::Get, request, &response).ok());
  EXPECT_EQ(response.ByteSizeLong(), 0u);
}

TEST_F(WireTest, ValuesOfEverySizeComeBackAlsoWhenOverwrittenMeanwhile) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{127}, size_t{128}, size_t{1024},
                            kMinSharedBytes - 1, kMinSharedBytes, kMaxValueBytes}) {
    const std::string value(size, 'a');
    Set("k", value);
    v1::GetRequest request;
    request.set_key("k");
    ReplyWriter reply;
    const std::string bytes = request.SerializeAsString();
    ASSERT_TRUE(side_.wire.Get(Request(bytes), &reply).ok());
    Set("k", std::string(size, 'b'));
    v1::GetResponse response;
    ASSERT_TRUE(response.ParseFromString(TakeBytes(&reply)));
    EXPECT_TRUE(response.found());
    EXPECT_EQ(response.value(), value);
  }
}

TEST_F(WireTest, MGetAnswersInOrderAndHoldsToItsLimits) {
  v1::MGetRequest request;
  v1::MGetResponse response;
  EXPECT_THAT(Call(&WireHandlers::MGet, request, &response).message(), HasSubstr("empty"));
  for (size_t i = 0; i < kMaxBatchKeys; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (i % 3 != 0) Set(key, "v" + std::to_string(i));
    request.add_keys(key);
  }
  ASSERT_TRUE(Call(&WireHandlers::MGet, request, &response).ok());
  ASSERT_EQ(response.results_size(), request.keys_size());
  for (int i = 0; i < response.results_size(); ++i) {
    EXPECT_EQ(response.results(i).found(), i % 3 != 0);
    EXPECT_EQ(response.results(i).value(), i % 3 != 0 ? "v" + std::to_string(i) : "");
  }
  request.add_keys("one more");
  EXPECT_THAT(Call(&WireHandlers::MGet, request, &response).message(), HasSubstr("1024"));
  request.mutable_keys()->Clear();
  request.add_keys("");
  EXPECT_THAT(Call(&WireHandlers::MGet, request, &response).message(), HasSubstr("empty"));
}

TEST_F(WireTest, AnMGetWhoseReplyWouldBeTooLargeSaysSoAndTheNextIsServed) {
  v1::MGetRequest request;
  for (int i = 0; i < 4; ++i) {
    Set("k" + std::to_string(i), std::string(1 << 20, 'v'));
    request.add_keys("k" + std::to_string(i));
  }
  v1::MGetResponse response;
  const absl::Status status = Call(&WireHandlers::MGet, request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("3.5 MiB"));
  EXPECT_EQ(ErrorInfoOf(status).metadata().at("fitting_keys"), "3");
  request.mutable_keys()->RemoveLast();
  ASSERT_TRUE(Call(&WireHandlers::MGet, request, &response).ok());
  EXPECT_EQ(response.results_size(), 3);
  EXPECT_LE(response.ByteSizeLong(), kMaxReplyBytes);
}

TEST_F(WireTest, MGetSendsOneValueWhateverItsSize) {
  Set("large", std::string(kMaxReplyBytes + 1, 'v'));
  Set("empty", "");
  Set("small", "1");
  v1::MGetRequest request;
  for (int i = 0; i < 100; ++i) request.add_keys("absent");
  request.add_keys("large");
  for (int i = 0; i < 100; ++i) request.add_keys(i % 2 == 0 ? "absent" : "empty");
  v1::MGetResponse response;
  ASSERT_TRUE(Call(&WireHandlers::MGet, request, &response).ok());
  ASSERT_EQ(response.results_size(), 201);
  EXPECT_EQ(response.results(100).value().size(), kMaxReplyBytes + 1);
  EXPECT_TRUE(response.results(200).found());

  for (const bool large_first : {true, false}) {
    request.clear_keys();
    request.add_keys(large_first ? "large" : "small");
    request.add_keys(large_first ? "small" : "large");
    const absl::Status status = Call(&WireHandlers::MGet, request, &response);
    EXPECT_EQ(ReasonOf(status), v1::REPLY_TOO_LARGE);
    EXPECT_EQ(ErrorInfoOf(status).metadata().at("fitting_keys"), "1");
  }
}

TEST_F(WireTest, WhatIsNoMessageIsRefused) {
  const std::string bad[] = {"\x0a",
                             "\x0a\x05"
                             "abc",
                             "\x0f", std::string(1, '\0'),
                             "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"};
  for (const std::string& bytes : bad) {
    ReplyWriter reply;
    for (const absl::Status& status :
         {side_.wire.Get(Request(bytes), &reply), side_.wire.MGet(Request(bytes), &reply),
          Pipeline(Request(bytes))}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(status.message(), HasSubstr("not a message of type"));
    }
  }
}

TEST_F(WireTest, AFrameHasAtLeastOneAndAtMost1024Operations) {
  v1::PipelineRequest frame;
  EXPECT_THAT(Pipeline(frame).message(), HasSubstr("1 to 1024"));
  for (size_t i = 0; i <= kMaxBatchKeys; ++i) {
    v1::SetRequest* set = frame.add_operations()->mutable_set();
    set->set_key("k");
  }
  EXPECT_THAT(Pipeline(frame).message(), HasSubstr("more than 1024"));
  EXPECT_FALSE(side_.store.Exists("k"));
  frame.mutable_operations()->RemoveLast();
  EXPECT_TRUE(Pipeline(frame).ok());
  EXPECT_EQ(outcomes_.results_size(), static_cast<int>(kMaxBatchKeys));
}

TEST_F(WireTest, OneOperationThatFailsDoesNotStopTheOthers) {
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_set()->set_key("text");
  frame.mutable_operations(0)->mutable_set()->set_value("no number");
  frame.add_operations()->mutable_incr()->set_key("text");
  frame.add_operations()->mutable_get()->set_key("");
  frame.add_operations()->mutable_delete_()->set_key(std::string(5000, 'k'));
  frame.add_operations();  // no operation
  v1::SetRequest* late = frame.add_operations()->mutable_set();
  late->set_key("late");
  late->set_ttl_ms(-1);
  frame.add_operations()->mutable_get()->set_key("text");
  ASSERT_TRUE(Pipeline(frame).ok());
  ASSERT_EQ(outcomes_.results_size(), 7);
  EXPECT_TRUE(outcomes_.results(0).set().stored());
  EXPECT_EQ(outcomes_.results(1).error().reason(), v1::NOT_A_COUNTER);
  EXPECT_EQ(outcomes_.results(2).error().reason(), v1::KEY_EMPTY);
  EXPECT_EQ(outcomes_.results(3).error().reason(), v1::KEY_TOO_LARGE);
  EXPECT_EQ(outcomes_.results(4).error().reason(), v1::OPERATION_UNKNOWN);
  EXPECT_EQ(outcomes_.results(5).error().reason(), v1::TTL_OUT_OF_RANGE);
  EXPECT_EQ(outcomes_.results(6).get().value(), "no number");
}

TEST_F(WireTest, AnOperationForWhichTheReplyHasNoRoomIsNotExecuted) {
  v1::PipelineRequest frame;
  for (int i = 0; i < 5; ++i) {
    Set("k" + std::to_string(i), std::string(1 << 20, 'v'));
    frame.add_operations()->mutable_get()->set_key("k" + std::to_string(i));
  }
  v1::SetRequest* set = frame.add_operations()->mutable_set();
  set->set_key("k0");
  set->set_value("new");
  set->set_return_previous(true);
  frame.add_operations()->mutable_incr()->set_key("n");
  ASSERT_TRUE(Pipeline(frame).ok());
  EXPECT_LE(outcomes_.ByteSizeLong(), kMaxReplyBytes + 1000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcomes_.results(i).get().value().size(), 1u << 20);
  for (int i = 3; i < 6; ++i) {
    EXPECT_EQ(outcomes_.results(i).error().reason(), v1::REPLY_TOO_LARGE);
    EXPECT_EQ(outcomes_.results(i).error().code(),
              static_cast<int>(absl::StatusCode::kResourceExhausted));
  }
  EXPECT_EQ(outcomes_.results(6).incr().value(), 1);
  ReadResult unchanged;
  side_.store.Get("k0", {}, &unchanged);
  EXPECT_EQ(unchanged.value.view().size(), 1u << 20);
}

TEST_F(WireTest, AFieldOfALaterContractAndARepeatedFieldAreTakenAsProtobufTakesThem) {
  Set("a", "1");
  Set("b", "2");
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_get()->set_key("a");
  std::string bytes = frame.SerializeAsString();
  bytes += std::string("\x7a\x02hi", 4);  // field 15 of the frame
  bytes += std::string(
      "\x0a\x08\x0a\x06\x0a\x01"
      "a\x0a\x01"
      "b",
      10);  // the key twice: the last counts
  ASSERT_TRUE(Pipeline(Request(bytes)).ok());
  ASSERT_EQ(outcomes_.results_size(), 2);
  EXPECT_EQ(outcomes_.results(0).get().value(), "1");
  EXPECT_EQ(outcomes_.results(1).get().value(), "2");
}

// Makes operations of all kinds on a few keys, many of them with something special or wrong.
class OperationSource {
 public:
  explicit OperationSource(uint32_t seed) : random_(seed) {}

  void Fill(v1::Operation* operation) {
    FillTerms(operation);
    switch (Below(9)) {
      case 0:
      case 1:
        return FillGet(operation->mutable_get());
      case 2:
      case 3:
        return FillSet(operation->mutable_set());
      case 4:
        operation->mutable_delete_()->set_key(Key());
        if (Below(4) == 0) operation->mutable_delete_()->set_if_version(Below(3));
        return;
      case 5:
        operation->mutable_touch()->set_key(Key());
        if (Below(2) == 0) operation->mutable_touch()->set_ttl_ms(Below(1000));
        return;
      case 6:
        operation->mutable_incr()->set_key(Key());
        if (Below(3) == 0)
          operation->mutable_incr()->set_request_id("id" + std::to_string(Below(9)));
        return;
      case 7:
        operation->mutable_publish()->set_channel(Key());
        operation->mutable_publish()->set_payload(std::string(Below(1000), 'p'));
        return;
      default:
        return;
    }
  }
  uint32_t Below(uint32_t bound) { return random_() % bound; }

 private:
  // Time that has been over for long, or will not be for long.
  void FillTerms(v1::Operation* operation) {
    if (Below(3) == 0) operation->set_timeout_ms(1'000'000);
    if (Below(9) == 0) operation->set_timeout_ms(-static_cast<int64_t>(Below(2)));
    if (Below(4) == 0) operation->set_traceparent("00-abc");
  }
  std::string Key() { return Below(20) == 0 ? "" : "k" + std::to_string(Below(10)); }
  void FillGet(v1::GetRequest* get) {
    get->set_key(Key());
    if (Below(5) == 0) get->set_touch_ttl_ms(Below(1000));
    if (Below(5) == 0) get->set_if_version_not(Below(3));
  }
  void FillSet(v1::SetRequest* set) {
    set->set_key(Key());
    set->set_value(Below(3) == 0 ? std::string(Below(40'000), 'v') : std::to_string(Below(100)));
    if (Below(3) == 0) set->set_ttl_ms(Below(1000));
    if (Below(6) == 0) set->set_keep_ttl(true);
    if (Below(5) == 0) set->set_condition(static_cast<v1::SetCondition>(Below(4)));
    if (Below(5) == 0) set->set_return_previous(true);
  }

  std::mt19937 random_;
};

constexpr char kTooLate[] =
    "the time of the operation (timeout_ms) was over before its turn came; nothing was done";

// Versions are times of different clocks.
void ForgetVersions(v1::OperationResult* result) {
  if (result->has_get() && result->get().found()) result->mutable_get()->set_version(1);
  if (result->has_set()) result->mutable_set()->set_version(result->set().version() != 0);
  if (result->set().has_previous()) result->mutable_set()->mutable_previous()->set_version(1);
  if (result->has_delete_()) {
    result->mutable_delete_()->set_version(result->delete_().version() != 0);
  }
  if (result->has_touch()) result->mutable_touch()->set_version(result->touch().version() != 0);
  if (result->has_incr()) result->mutable_incr()->set_version(1);
}

TEST_F(WireTest, RandomFramesAnswerAsTheTypedHandlersDo) {
  Side typed;
  OperationSource source(20261125);
  for (int round = 0; round < 300; ++round) {
    v1::PipelineRequest frame;
    const uint32_t count = 1 + source.Below(150);
    for (uint32_t i = 0; i < count; ++i) source.Fill(frame.add_operations());
    piece_bytes_ = source.Below(2) == 0 ? SIZE_MAX : 1 + source.Below(1000);
    ASSERT_TRUE(Pipeline(frame).ok());
    ASSERT_EQ(outcomes_.results_size(), frame.operations_size());
    for (int i = 0; i < frame.operations_size(); ++i) {
      v1::OperationResult expected;
      const v1::Operation& operation = frame.operations(i);
      const bool late = operation.has_timeout_ms() && operation.timeout_ms() <= 0;
      const absl::Status status =
          late ? absl::DeadlineExceededError(kTooLate) : typed.cache.Execute(operation, &expected);
      if (!status.ok()) {
        expected.Clear();
        expected.mutable_error()->set_code(static_cast<int>(status.code()));
        expected.mutable_error()->set_message(std::string(status.message()));
        expected.mutable_error()->set_reason(outcomes_.results(i).error().reason());
        *expected.mutable_error()->mutable_metadata() = outcomes_.results(i).error().metadata();
      }
      ForgetVersions(&expected);
      ForgetVersions(outcomes_.mutable_results(i));
      ASSERT_EQ(outcomes_.results(i).SerializeAsString(), expected.SerializeAsString())
          << frame.operations(i).ShortDebugString() << "\nanswered "
          << outcomes_.results(i).ShortDebugString() << "\ninstead of "
          << expected.ShortDebugString();
    }
    const int64_t pause = source.Below(200);
    side_.clock.Advance(pause);
    typed.clock.Advance(pause);
  }
}

TEST_F(WireTest, FramesOfOneKindAnswerInOrder) {
  v1::PipelineRequest sets;
  v1::PipelineRequest gets;
  for (int i = 0; i < 200; ++i) {
    v1::SetRequest* set = sets.add_operations()->mutable_set();
    set->set_key("k" + std::to_string(i % 150));  // some twice: the last one stands
    set->set_value(std::to_string(i));
    gets.add_operations()->mutable_get()->set_key("k" + std::to_string(i));
  }
  ASSERT_TRUE(Pipeline(sets).ok());
  for (const auto& result : outcomes_.results()) EXPECT_TRUE(result.set().stored());
  ASSERT_TRUE(Pipeline(gets).ok());
  for (int i = 0; i < 200; ++i) {
    const std::string expected = i < 50    ? std::to_string(i + 150)
                                 : i < 150 ? std::to_string(i)
                                           : "";
    EXPECT_EQ(outcomes_.results(i).get().value(), expected) << i;
  }
  EXPECT_EQ(side_.counters.Sum(
                [](const ThreadCounters& thread) { return thread.count(CacheOutcome::kGetHit); }),
            150u);

  v1::PipelineRequest messages;
  for (int i = 0; i < 100; ++i) {
    messages.add_operations()->mutable_publish()->set_channel(i % 2 == 0 ? "k1" : "nobody's");
  }
  ASSERT_TRUE(Pipeline(messages).ok());
  uint64_t sequence = 0;
  for (int i = 0; i < 100; ++i) {
    const v1::PublishResponse& published = outcomes_.results(i).publish();
    EXPECT_EQ(published.receivers(), i % 2 == 0 ? 1u : 0u);
    EXPECT_EQ(published.sequence() > sequence, i % 2 == 0);
    sequence = std::max(sequence, published.sequence());
  }
}

}  // namespace
}  // namespace ferrite
