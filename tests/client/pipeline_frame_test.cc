// The bytes of frames, compared with what protobuf makes of the same messages.

#include <gtest/gtest.h>

#include "client/pipeline/frame_writer.h"
#include "client/pipeline/operation_call.h"
#include "client/reply_bytes.h"
#include "proto/wire/frame_operation.h"
#include "proto/wire/frame_result.h"

namespace ferrite {
namespace {

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

// `bytes` as gRPC might have received it: in pieces of that size.
grpc::ByteBuffer BufferOf(const std::string& bytes, size_t piece_bytes) {
  std::vector<grpc::Slice> pieces;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    pieces.emplace_back(bytes.substr(at, piece_bytes));
  }
  return grpc::ByteBuffer(pieces.data(), pieces.size());
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
  // Their deadline is at the clock's epoch.
  const std::chrono::steady_clock::time_point now(-std::chrono::milliseconds(1500));
  for (v1::Operation& operation : *expected.mutable_operations()) operation.set_timeout_ms(1500);
  const std::string bytes = BytesOf(WriteFrame(
      {&get_call, &set_call, &delete_call, &touch_call, &incr_call, &publish_call, &empty_call},
      now));
  EXPECT_EQ(bytes, expected.SerializeAsString());
  EXPECT_EQ(OperationInFrameSize(get_call.field(), get_call.request_bytes(),
                                 OperationTerms{.timeout_ms = 1500}.Size()),
            2 + expected.operations(0).ByteSizeLong());
}

TEST(FrameResultTest, IsReadWhereverThePiecesOfTheReplyEnd) {
  v1::PipelineResponse reply;
  reply.add_results()->mutable_get()->set_value(std::string(1000, 'v'));
  reply.add_results()->mutable_set();
  reply.add_results();
  reply.add_results()->mutable_error()->set_message("no");
  for (const size_t piece_bytes : {1, 7, 100, 10'000}) {
    const ReplyBytes bytes(BufferOf(reply.SerializeAsString(), piece_bytes));
    FrameResultReader results(bytes.view());
    std::optional<FrameResult> result = results.Next();
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->field, v1::OperationResult::kGetFieldNumber);
    EXPECT_EQ(result->message, reply.results(0).get().SerializeAsString());
    result = results.Next();
    EXPECT_EQ(result->field, v1::OperationResult::kSetFieldNumber);
    EXPECT_EQ(result->message, "");
    EXPECT_EQ(results.Next()->field, 0);
    EXPECT_EQ(results.Next()->field, v1::OperationResult::kErrorFieldNumber);
    EXPECT_FALSE(results.Next().has_value());
    EXPECT_FALSE(results.Next().has_value());
  }
}

TEST(FrameResultTest, AReplyWithoutBytesHasNone) {
  EXPECT_EQ(ReplyBytes(grpc::ByteBuffer()).view(), "");
  EXPECT_EQ(ReplyBytes(BufferOf("", 1)).view(), "");
}

}  // namespace
}  // namespace ferrite
