// Responses, compared with what protobuf makes of the same messages.

#include <gtest/gtest.h>

#include <string>

#include "proto/wire/get_response.h"
#include "proto/wire/nesting.h"
#include "proto/wire/number_pair.h"
#include "tests/proto/wire_bytes.h"

namespace ferrite {
namespace {

v1::GetResponse RandomGetResponse(RandomContent* random) {
  v1::GetResponse response;
  if (random->Chance(4)) return response;
  response.set_found(true);
  response.set_value(random->Bytes());
  response.set_version(random->Integer());
  if (random->Chance(2)) response.set_ttl_ms(static_cast<int64_t>(random->Integer()));
  response.set_not_modified(random->Chance(4));
  return response;
}

GetResponseFields FieldsOf(const v1::GetResponse& response) {
  GetResponseFields fields = {.found = response.found(),
                              .value = response.value(),
                              .version = response.version(),
                              .not_modified = response.not_modified()};
  if (response.has_ttl_ms()) fields.ttl_ms = response.ttl_ms();
  return fields;
}

void ExpectSame(const GetResponseFields& fields, const v1::GetResponse& response) {
  EXPECT_EQ(fields.found, response.found());
  EXPECT_EQ(fields.value, response.value());
  EXPECT_EQ(fields.version, response.version());
  EXPECT_EQ(fields.ttl_ms.has_value(), response.has_ttl_ms());
  EXPECT_EQ(fields.ttl_ms.value_or(0), response.ttl_ms());
  EXPECT_EQ(fields.not_modified, response.not_modified());
}

TEST(WireGetResponseTest, IsWrittenAsProtobufWritesIt) {
  RandomContent random(1);
  StringSink sink;
  for (int i = 0; i < 2000; ++i) {
    const v1::GetResponse response = RandomGetResponse(&random);
    const GetResponseFields fields = FieldsOf(response);
    v1::MGetResponse mget;
    *mget.add_results() = response;
    v1::PipelineResponse frame;
    *frame.add_results()->mutable_get() = response;

    WriteGetResponse(kWholeReply, fields, &sink);
    EXPECT_EQ(sink.Take(), response.SerializeAsString());
    WriteGetResponse(kMGetResult, fields, &sink);
    EXPECT_EQ(sink.Take(), mget.SerializeAsString());
    WriteGetResponse(kReadOutcome, fields, &sink);
    EXPECT_EQ(sink.Take(), frame.SerializeAsString());
    EXPECT_EQ(GetResponseSize(kReadOutcome, fields), frame.ByteSizeLong());
    EXPECT_LE(GetResponseSize(kReadOutcome, fields), fields.value.size() + kMostAroundValueBytes);
  }
}

TEST(WireGetResponseTest, TheValueMayBeAppendedApart) {
  RandomContent random(2);
  StringSink sink;
  for (int i = 0; i < 500; ++i) {
    const v1::GetResponse response = RandomGetResponse(&random);
    const GetResponseFields fields = FieldsOf(response);
    for (const size_t min_apart_bytes : {0, 128, 16'384}) {
      int apart = 0;
      const auto append_value = [&] {
        ++apart;
        sink.AppendCopy(fields.value);
      };
      WriteGetResponse(kWholeReply, fields, min_apart_bytes, append_value, &sink);
      EXPECT_EQ(sink.Take(), response.SerializeAsString());
      EXPECT_EQ(apart, !fields.value.empty() && fields.value.size() >= min_apart_bytes);
    }
  }
}

TEST(WireGetResponseTest, IsReadAsProtobufWroteIt) {
  RandomContent random(3);
  for (int i = 0; i < 500; ++i) {
    const v1::GetResponse response = RandomGetResponse(&random);
    const std::string bytes = UnknownFields() + response.SerializeAsString() + UnknownFields();
    const auto fields = ReadGetResponse(bytes);
    ASSERT_TRUE(fields.has_value());
    ExpectSame(*fields, response);
  }
}

TEST(WireGetResponseTest, CutOffItIsReadAsProtobufReadsItOrNotAtAll) {
  v1::GetResponse response;
  response.set_found(true);
  response.set_value(std::string(200, 'v'));
  response.set_version(uint64_t{1} << 60);
  response.set_ttl_ms(-1);
  response.set_not_modified(true);
  const std::string bytes = response.SerializeAsString();
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    const auto fields = ReadGetResponse(cut);
    v1::GetResponse expected;
    ASSERT_EQ(fields.has_value(), expected.ParseFromString(cut)) << size;
    if (fields.has_value()) ExpectSame(*fields, expected);
  }
}

TEST(WireNumberPairTest, ThreeResponsesAreWrittenAsProtobufWritesThem) {
  RandomContent random(4);
  StringSink sink;
  for (int i = 0; i < 1000; ++i) {
    const bool done = random.Chance(2);
    const uint64_t receivers = random.Integer();
    const uint64_t number = random.Integer();
    v1::PipelineResponse set;
    set.add_results()->mutable_set()->set_stored(done);
    set.mutable_results(0)->mutable_set()->set_version(number);
    WriteNumbers(kSetOutcome, done, number, &sink);
    EXPECT_EQ(sink.Take(), set.SerializeAsString());
    v1::PipelineResponse deletion;
    deletion.add_results()->mutable_delete_()->set_deleted(done);
    deletion.mutable_results(0)->mutable_delete_()->set_version(number);
    WriteNumbers(kDeleteOutcome, done, number, &sink);
    EXPECT_EQ(sink.Take(), deletion.SerializeAsString());
    v1::PipelineResponse publish;
    publish.add_results()->mutable_publish()->set_receivers(receivers);
    publish.mutable_results(0)->mutable_publish()->set_sequence(number);
    WriteNumbers(kPublishOutcome, receivers, number, &sink);
    EXPECT_EQ(sink.Take(), publish.SerializeAsString());

    const std::string bytes = UnknownFields() + publish.results(0).publish().SerializeAsString();
    const auto pair = ReadNumbers(bytes);
    ASSERT_TRUE(pair.has_value());
    EXPECT_EQ(pair->first, receivers);
    EXPECT_EQ(pair->second, number);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);
      EXPECT_EQ(ReadNumbers(cut).has_value(), v1::PublishResponse().ParseFromString(cut)) << size;
    }
  }
}

TEST(WireNestingTest, AnyMessageIsWrittenAsProtobufWritesIt) {
  RandomContent random(5);
  StringSink sink;
  for (int i = 0; i < 500; ++i) {
    v1::PipelineResponse frame;
    v1::OperationError* const error = frame.add_results()->mutable_error();
    error->set_code(static_cast<int32_t>(random.Integer()));
    error->set_message(std::string(random.Below(20'000), 'm'));
    WriteMessage(kPipelineResult, frame.results(0), &sink);
    EXPECT_EQ(sink.Take(), frame.SerializeAsString());
    WriteMessage(OutcomeInFrame(v1::OperationResult::kErrorFieldNumber), *error, &sink);
    EXPECT_EQ(sink.Take(), frame.SerializeAsString());
    WriteMessage(kWholeReply, frame, &sink);
    EXPECT_EQ(sink.Take(), frame.SerializeAsString());
  }
}

}  // namespace
}  // namespace ferrite
