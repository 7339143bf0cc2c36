// Frames of Pipeline, compared with what protobuf makes of the same messages.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "proto/wire/frame_operation.h"
#include "proto/wire/frame_result.h"
#include "tests/proto/wire_bytes.h"

namespace ferrite {
namespace {

using Kind = FrameOperation::Kind;

constexpr OperationLimits kLimits = {.key_bytes = 300, .value_bytes = 16'383, .ttl_ms = 1'000'000};

v1::Operation RandomOperation(RandomContent* random) {
  v1::Operation operation;
  if (random->Chance(2)) operation.set_timeout_ms(static_cast<int64_t>(random->Integer()));
  if (random->Chance(9)) operation.set_timeout_ms(-static_cast<int64_t>(random->Below(9)));
  if (random->Chance(3)) operation.set_traceparent(std::string(random->Below(200), 't'));
  switch (random->Below(6)) {
    case 0:
      operation.mutable_get()->set_key(random->Bytes());
      if (random->Chance(5)) operation.mutable_get()->set_touch_ttl_ms(1);
      break;
    case 1:
      operation.mutable_set()->set_key(random->Bytes());
      operation.mutable_set()->set_value(random->Bytes());
      if (random->Chance(2)) {
        operation.mutable_set()->set_ttl_ms(static_cast<int64_t>(random->Integer()));
      }
      if (random->Chance(9)) operation.mutable_set()->set_return_previous(true);
      break;
    case 2:
      operation.mutable_delete_()->set_key(random->Bytes());
      if (random->Chance(5)) operation.mutable_delete_()->set_if_version(0);
      break;
    case 3:
      operation.mutable_publish()->set_channel(random->Bytes());
      operation.mutable_publish()->set_payload(random->Bytes());
      break;
    case 4:
      operation.mutable_incr()->set_key(random->Bytes());
      break;
    default:
      break;
  }
  return operation;
}

bool KeyFits(std::string_view key) { return !key.empty() && key.size() <= kLimits.key_bytes; }

// The kind of an operation, by the message's fields.
Kind ExpectedKind(const v1::Operation& operation) {
  if (operation.has_get()) {
    const v1::GetRequest& get = operation.get();
    return KeyFits(get.key()) && !get.has_touch_ttl_ms() ? Kind::kGet : Kind::kOther;
  }
  if (operation.has_set()) {
    const v1::SetRequest& set = operation.set();
    const bool ttl_fits =
        !set.has_ttl_ms() || (set.ttl_ms() >= 1 && set.ttl_ms() <= kLimits.ttl_ms);
    const bool fits = KeyFits(set.key()) && set.value().size() <= kLimits.value_bytes;
    return fits && ttl_fits && !set.return_previous() ? Kind::kSet : Kind::kOther;
  }
  if (operation.has_delete_()) {
    const v1::DeleteRequest& deletion = operation.delete_();
    return KeyFits(deletion.key()) && !deletion.has_if_version() ? Kind::kDelete : Kind::kOther;
  }
  if (operation.has_publish()) {
    const v1::PublishRequest& publish = operation.publish();
    const bool fits = publish.payload().size() <= kLimits.value_bytes;
    return KeyFits(publish.channel()) && fits ? Kind::kPublish : Kind::kOther;
  }
  return Kind::kOther;
}

uint32_t ExpectedTimeout(const v1::Operation& operation, Kind kind) {
  if (kind == Kind::kOther || !operation.has_timeout_ms()) return kNoTimeout;
  return static_cast<uint32_t>(std::clamp<int64_t>(operation.timeout_ms(), 0, kNoTimeout));
}

void ExpectContent(const FrameOperation& read, const v1::Operation& operation) {
  EXPECT_EQ(read.timeout_ms, ExpectedTimeout(operation, read.kind));
  switch (read.kind) {
    case Kind::kGet:
      EXPECT_EQ(read.key, operation.get().key());
      break;
    case Kind::kSet:
      EXPECT_EQ(read.key, operation.set().key());
      EXPECT_EQ(read.value, operation.set().value());
      EXPECT_EQ(read.ttl_ms, operation.set().ttl_ms());
      break;
    case Kind::kDelete:
      EXPECT_EQ(read.key, operation.delete_().key());
      break;
    case Kind::kPublish:
      EXPECT_EQ(read.key, operation.publish().channel());
      EXPECT_EQ(read.value, operation.publish().payload());
      break;
    case Kind::kOther:
      EXPECT_TRUE(KeyFits(read.key));
      break;
  }
}

std::string Written(const FrameOperation& operation) {
  std::string bytes(OperationInFrameSize(operation), '\0');
  FieldWriter writer(bytes.data());
  WriteOperationInFrame(operation, &writer);
  EXPECT_EQ(reinterpret_cast<char*>(writer.at()), bytes.data() + bytes.size());
  return bytes;
}

TEST(WireOperationTest, OfEveryKindIsReadAsProtobufReadsIt) {
  RandomContent random(1);
  std::vector<FrameOperation> read;
  for (int round = 0; round < 300; ++round) {
    v1::PipelineRequest frame;
    const uint64_t count = 1 + random.Below(20);
    for (uint64_t i = 0; i < count; ++i) *frame.add_operations() = RandomOperation(&random);
    const std::string bytes = UnknownFields() + frame.SerializeAsString() + UnknownFields();
    ASSERT_TRUE(ParseFrame(bytes, 100, kLimits, &read));
    ASSERT_EQ(read.size(), count);
    for (size_t i = 0; i < count; ++i) {
      const v1::Operation& operation = frame.operations(static_cast<int>(i));
      EXPECT_EQ(read[i].kind, ExpectedKind(operation)) << operation.ShortDebugString();
      EXPECT_EQ(read[i].message, operation.SerializeAsString());
      ExpectContent(read[i], operation);
    }
  }
}

TEST(WireOperationTest, OfASimpleKindIsWrittenAsProtobufWritesIt) {
  RandomContent random(2);
  std::vector<FrameOperation> read;
  int written = 0;
  for (int round = 0; round < 6000; ++round) {
    v1::PipelineRequest frame;
    *frame.add_operations() = RandomOperation(&random);
    const std::string bytes = frame.SerializeAsString();
    ASSERT_TRUE(ParseFrame(bytes, 1, kLimits, &read));
    const v1::Operation& operation = frame.operations(0);
    const bool whole = !operation.has_timeout_ms() || operation.timeout_ms() == read[0].timeout_ms;
    if (read[0].kind == Kind::kOther || !operation.traceparent().empty() || !whole) continue;
    EXPECT_EQ(Written(read[0]), bytes);
    ++written;
  }
  EXPECT_GT(written, 500);
}

TEST(WireOperationTest, WithAFieldThatIsNotKnownIsNotSimple) {
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_get()->set_key("k");
  const std::string get = frame.operations(0).get().SerializeAsString() + UnknownFields();
  std::string operation(BytesFieldSize(v1::Operation::kGetFieldNumber, get), '\0');
  FieldWriter(operation.data()).Bytes(v1::Operation::kGetFieldNumber, get);
  EXPECT_EQ(ParseOperation(operation, kLimits).kind, Kind::kOther);
  const std::string known = frame.operations(0).SerializeAsString();
  EXPECT_EQ(ParseOperation(known, kLimits).kind, Kind::kGet);
  EXPECT_EQ(ParseOperation(known + UnknownFields(), kLimits).kind, Kind::kOther);
  EXPECT_EQ(ParseOperation(known + known, kLimits).kind, Kind::kOther);
}

TEST(WireOperationTest, HasItsTermsAfterItsRequestOrIsNotSimple) {
  v1::Operation operation;
  operation.mutable_get()->set_key("k");
  const std::string request = operation.SerializeAsString();
  operation.Clear();
  operation.set_timeout_ms(500);
  const std::string timeout = operation.SerializeAsString();
  operation.Clear();
  operation.set_traceparent("trace");
  const std::string trace = operation.SerializeAsString();
  const std::string no_text = std::string(trace).replace(trace.size() - 1, 1, "\xff");
  const std::string other_timeout = "\x70\x07";

  for (const std::string& terms : {timeout, timeout + trace, trace + timeout}) {
    const FrameOperation read = ParseOperation(request + terms, kLimits);
    EXPECT_EQ(read.kind, Kind::kGet);
    EXPECT_EQ(read.timeout_ms, 500u);
    const FrameOperation before = ParseOperation(terms + request, kLimits);
    EXPECT_EQ(before.kind, Kind::kOther);
    EXPECT_EQ(before.timeout_ms, kNoTimeout);
    EXPECT_EQ(ParseOperation(request + terms + request, kLimits).kind, Kind::kOther);
  }
  EXPECT_EQ(ParseOperation(request + trace, kLimits).timeout_ms, kNoTimeout);
  // As in any message the last one counts.
  EXPECT_EQ(ParseOperation(request + timeout + other_timeout, kLimits).timeout_ms, 7u);
  // protobuf refuses a string that is no UTF-8, so it is to judge.
  EXPECT_EQ(ParseOperation(request + no_text, kLimits).kind, Kind::kOther);
  EXPECT_FALSE(operation.ParseFromString(request + no_text));
  EXPECT_EQ(ParseOperation(timeout, kLimits).kind, Kind::kOther);
}

TEST(WireOperationTest, TermsAreWrittenAsProtobufWritesThem) {
  for (const uint32_t timeout_ms : {0u, 1u, 127u, 128u, 1000u, kNoTimeout - 1}) {
    v1::PipelineRequest frame;
    v1::Operation* const operation = frame.add_operations();
    operation->mutable_get()->set_key("k");
    operation->set_timeout_ms(timeout_ms);
    operation->set_traceparent(std::string(55, 't'));
    operation->set_request_scope("scope");
    const OperationTerms terms = {timeout_ms, operation->traceparent(), operation->request_scope()};
    const size_t request_size = operation->get().ByteSizeLong();
    std::string bytes(OperationInFrameSize(FieldOf(Kind::kGet), request_size, terms.Size()), '\0');
    FieldWriter writer(bytes.data());
    WriteOperationHeads(FieldOf(Kind::kGet), request_size, terms.Size(), &writer);
    writer.Content(operation->get().SerializeAsString());
    terms.Write(&writer);
    // Whatever the order of the fields is.
    v1::PipelineRequest read;
    EXPECT_TRUE(read.ParseFromString(bytes));
    EXPECT_EQ(read.SerializeAsString(), frame.SerializeAsString());
    EXPECT_EQ(bytes.size(), frame.ByteSizeLong());
  }
  EXPECT_EQ(OperationTerms().Size(), 0u);
}

TEST(WireOperationTest, CutOffAFrameIsRefusedOrEndsBetweenItsOperations) {
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_get()->set_key("key");
  frame.add_operations()->mutable_set()->set_key("key");
  frame.mutable_operations(1)->mutable_set()->set_value(std::string(150, 'v'));
  frame.mutable_operations(1)->mutable_set()->set_ttl_ms(500);
  frame.add_operations()->mutable_publish()->set_channel("c");
  const std::string bytes = frame.SerializeAsString();
  std::vector<FrameOperation> read;
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    v1::PipelineRequest expected;
    const bool whole = expected.ParseFromString(cut);
    EXPECT_EQ(ParseFrame(cut, 100, kLimits, &read), whole) << size;
    if (!whole) continue;
    EXPECT_EQ(read.size(), static_cast<size_t>(expected.operations_size()));
  }
  const std::string set = frame.operations(1).SerializeAsString();
  for (size_t size = 0; size < set.size(); ++size) {
    EXPECT_EQ(ParseOperation(std::string_view(set).substr(0, size), kLimits).kind, Kind::kOther);
  }
}

TEST(WireOperationTest, AFrameIsNotReadBeyondTheCountThatMatters) {
  v1::PipelineRequest frame;
  for (int i = 0; i < 10; ++i) frame.add_operations()->mutable_get()->set_key("k");
  std::vector<FrameOperation> read;
  EXPECT_TRUE(ParseFrame(frame.SerializeAsString() + "\xff", 5, kLimits, &read));
  EXPECT_EQ(read.size(), 6u);
}

TEST(WireFrameResultTest, IsReadAsProtobufWroteIt) {
  RandomContent random(3);
  for (int round = 0; round < 300; ++round) {
    v1::PipelineResponse reply;
    const int count = static_cast<int>(random.Below(20));
    for (int i = 0; i < count; ++i) {
      v1::OperationResult* const result = reply.add_results();
      if (random.Chance(3)) result->mutable_get()->set_value(random.Bytes());
      if (random.Chance(3)) result->mutable_set()->set_stored(true);
      if (random.Chance(3)) result->mutable_error()->set_code(8);
    }
    const std::string bytes = UnknownFields() + reply.SerializeAsString() + UnknownFields();
    FrameResultReader reader(bytes);
    for (const v1::OperationResult& expected : reply.results()) {
      const std::optional<FrameResult> result = reader.Next();
      ASSERT_TRUE(result.has_value());
      EXPECT_EQ(result->field, static_cast<int>(expected.outcome_case()));
      if (!expected.has_get()) continue;
      EXPECT_EQ(result->message, expected.get().SerializeAsString());
    }
    EXPECT_FALSE(reader.Next().has_value());
    EXPECT_TRUE(reader.well_formed());
  }
}

TEST(WireFrameResultTest, PassesOverWhatItDoesNotKnow) {
  using namespace std::string_literals;
  // Of the frame: a varint, fixed64, bytes and fixed32 as fields 2 to 5; of the result: a varint.
  const std::string reply =
      "\x10\x05\x19"s + "12345678" + "\x22\x01x\x2d" + "1234" + "\x0a\x04\x38\x01\x12\x00"s;
  FrameResultReader reader(reply);
  const std::optional<FrameResult> result = reader.Next();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->field, v1::OperationResult::kSetFieldNumber);
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_TRUE(reader.well_formed());
}

TEST(WireFrameResultTest, EndsWhereAReplyIsCutOff) {
  v1::PipelineResponse reply;
  reply.add_results()->mutable_get()->set_value("value");
  reply.mutable_results(0)->mutable_get()->set_ttl_ms(-1);
  const std::string bytes = reply.SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    FrameResultReader reader(std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(reader.Next().has_value());
    EXPECT_EQ(reader.well_formed(), size == 0);
  }
  const std::string result = reply.results(0).SerializeAsString();
  for (size_t size = 1; size < result.size(); ++size) {
    EXPECT_FALSE(ReadFrameResult(std::string_view(result).substr(0, size)).has_value());
  }
}

}  // namespace
}  // namespace ferrite
