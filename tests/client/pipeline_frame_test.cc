// The bytes of frames, compared with what protobuf makes of the same messages.

#include <gtest/gtest.h>

#include "client/pipeline/frame_reader.h"
#include "client/pipeline/frame_writer.h"
#include "client/pipeline/operation_call.h"

namespace ferrite {
namespace {

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

template <class Response, class Request>
OperationCall<Request, Response> CallOf(const Request& request) {
  return OperationCall<Request, Response>({}, nullptr, request, nullptr);
}

TEST(FrameWriterTest, WritesWhatProtobufWould) {
  v1::PipelineRequest expected;
  v1::GetRequest* get = expected.add_operations()->mutable_get();
  get->set_key("k");
  get->set_touch_ttl_ms(5);
  v1::SetRequest* set = expected.add_operations()->mutable_set();
  set->set_key(std::string(200, 'k'));
  set->set_value(std::string(50'000, 'v'));
  set->set_keep_ttl(true);
  expected.add_operations()->mutable_delete_()->set_key("d");
  expected.add_operations()->mutable_touch()->set_persist(true);
  expected.add_operations()->mutable_incr()->set_delta(-1);
  expected.add_operations()->mutable_publish()->set_channel("c");
  expected.add_operations()->mutable_get();  // an empty request

  auto get_call = CallOf<v1::GetResponse>(*get);
  auto set_call = CallOf<v1::SetResponse>(*set);
  auto delete_call = CallOf<v1::DeleteResponse>(expected.operations(2).delete_());
  auto touch_call = CallOf<v1::TouchResponse>(expected.operations(3).touch());
  auto incr_call = CallOf<v1::IncrResponse>(expected.operations(4).incr());
  auto publish_call = CallOf<v1::PublishResponse>(expected.operations(5).publish());
  auto empty_call = CallOf<v1::GetResponse>(v1::GetRequest());
  const std::string bytes = BytesOf(WriteFrame(
      {&get_call, &set_call, &delete_call, &touch_call, &incr_call, &publish_call, &empty_call}));
  EXPECT_EQ(bytes, expected.SerializeAsString());
  EXPECT_EQ(BytesInFrame(get_call), 2 + expected.operations(0).ByteSizeLong());
}

TEST(FrameReaderTest, ReadsWhatProtobufWrote) {
  v1::PipelineResponse reply;
  reply.add_results()->mutable_get()->set_value(std::string(1000, 'v'));
  reply.add_results()->mutable_set();
  reply.add_results();
  reply.add_results()->mutable_error()->set_message("no");
  const grpc::ByteBuffer buffer = BufferOf(reply.SerializeAsString());
  FrameReader reader(buffer);
  std::optional<OperationOutcome> outcome = reader.Next();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->field, v1::OperationResult::kGetFieldNumber);
  EXPECT_EQ(outcome->message, reply.results(0).get().SerializeAsString());
  outcome = reader.Next();
  EXPECT_EQ(outcome->field, v1::OperationResult::kSetFieldNumber);
  EXPECT_EQ(outcome->message, "");
  EXPECT_EQ(reader.Next()->field, 0);
  EXPECT_EQ(reader.Next()->field, v1::OperationResult::kErrorFieldNumber);
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_FALSE(reader.Next().has_value());
}

TEST(FrameReaderTest, PassesOverWhatItDoesNotKnow) {
  using namespace std::string_literals;
  // Of the frame: a varint, fixed64, bytes and fixed32 as fields 2 to 5; of the result: a varint.
  const grpc::ByteBuffer buffer = BufferOf("\x10\x05\x19"s + "12345678" + "\x22\x01x\x2d" + "1234" +
                                           "\x0a\x04\x38\x01\x12\x00"s);
  FrameReader reader(buffer);
  const std::optional<OperationOutcome> outcome = reader.Next();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->field, v1::OperationResult::kSetFieldNumber);
  EXPECT_FALSE(reader.Next().has_value());
}

TEST(FrameReaderTest, EndsWhereAReplyIsCutOff) {
  v1::PipelineResponse reply;
  reply.add_results()->mutable_get()->set_value("value");
  const std::string whole = reply.SerializeAsString();
  for (size_t size = 0; size < whole.size(); ++size) {
    const grpc::ByteBuffer buffer = BufferOf(whole.substr(0, size));
    FrameReader reader(buffer);
    EXPECT_FALSE(reader.Next().has_value()) << size;
  }
}

}  // namespace
}  // namespace ferrite
