// Pipeline as a stream: order, flow control, and every way in which a stream can end. Meant for the
// thread sanitizer as well.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "ferrite/v1/cache.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/server/node_fixture.h"

namespace ferrite {
namespace {

using Stream = grpc::ClientReaderWriter<v1::PipelineRequest, v1::PipelineResponse>;

v1::PipelineRequest IncrFrame(const std::string& key, int operations) {
  v1::PipelineRequest frame;
  for (int i = 0; i < operations; ++i) frame.add_operations()->mutable_incr()->set_key(key);
  return frame;
}

class PipelineStreamTest : public NodeTest {
 protected:
  int64_t Counter(const std::string& key) {
    grpc::ClientContext context;
    v1::IncrRequest request;
    request.set_key(key);
    request.set_delta(0);
    v1::IncrResponse response;
    EXPECT_TRUE(v1::CacheService::NewStub(Connect())->Incr(&context, request, &response).ok());
    return response.value();
  }

  std::unique_ptr<v1::CacheService::Stub> stub_ = v1::CacheService::NewStub(Connect());
  grpc::ClientContext context_;
};

TEST_F(PipelineStreamTest, RepliesComeInTheOrderOfTheFrames) {
  constexpr int kFrames = 2000;
  const auto stream = stub_->Pipeline(&context_);
  std::thread writer([&] {
    for (int i = 0; i < kFrames; ++i) ASSERT_TRUE(stream->Write(IncrFrame("n", 3)));
    stream->WritesDone();
  });
  v1::PipelineResponse reply;
  int64_t last = 0;
  while (stream->Read(&reply)) {
    ASSERT_EQ(reply.results_size(), 3);
    for (const v1::OperationResult& result : reply.results()) {
      ASSERT_EQ(result.incr().value(), ++last);
    }
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(last, kFrames * 3);
}

TEST_F(PipelineStreamTest, AFrameThatBreaksALimitEndsTheStreamAndIsNotExecuted) {
  const auto stream = stub_->Pipeline(&context_);
  v1::PipelineResponse reply;
  ASSERT_TRUE(stream->Write(IncrFrame("n", 5)));
  ASSERT_TRUE(stream->Read(&reply));
  stream->Write(IncrFrame("n", 1025));
  EXPECT_FALSE(stream->Read(&reply));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << status.error_message();
  EXPECT_NE(status.error_message().find("1024"), std::string::npos);
  EXPECT_EQ(Counter("n"), 5);
}

// The replies of large values that nobody reads fill the windows of the connection; then the server
// must stop to take frames in.
TEST_F(PipelineStreamTest, WhoDoesNotReadRepliesIsNotServed) {
  constexpr int kFrames = 200;
  v1::PipelineRequest frame = IncrFrame("n", 1);
  v1::SetRequest* set = frame.add_operations()->mutable_set();
  set->set_key("large");
  set->set_value(std::string(1 << 20, 'v'));
  frame.add_operations()->mutable_get()->set_key("large");
  const auto stream = stub_->Pipeline(&context_);
  std::atomic<int> written = 0;
  std::thread writer([&] {
    while (written < kFrames && stream->Write(frame)) ++written;
    stream->WritesDone();
  });
  // How far it gets is decided by the windows; that it gets no further shows in the counter, which
  // stands still while other calls are answered.
  int64_t served = -1;
  int looks_alike = 0;
  while (looks_alike < 200) {
    const int64_t now = Counter("n");
    looks_alike = now == served ? looks_alike + 1 : 0;
    served = now;
  }
  EXPECT_LT(served, kFrames / 2);
  v1::PipelineResponse reply;
  int replies = 0;
  while (stream->Read(&reply)) {
    ++replies;
    ASSERT_EQ(reply.results(0).incr().value(), replies);
    ASSERT_EQ(reply.results(2).get().value().size(), 1u << 20);
  }
  writer.join();
  EXPECT_TRUE(stream->Finish().ok());
  EXPECT_EQ(replies, kFrames);
}

TEST_F(PipelineStreamTest, ACancelledStreamExecutesNothingMore) {
  for (int round = 0; round < 50; ++round) {
    const std::string key = "n" + std::to_string(round);
    grpc::ClientContext context;
    const auto stream = stub_->Pipeline(&context);
    std::atomic<int> replies = 0;
    std::thread writer([&] {
      for (int i = 0; i < 200 && stream->Write(IncrFrame(key, 10)); ++i) {
      }
    });
    v1::PipelineResponse reply;
    while (replies < round && stream->Read(&reply)) ++replies;
    context.TryCancel();
    while (stream->Read(&reply)) ++replies;
    writer.join();
    EXPECT_EQ(stream->Finish().error_code(), grpc::CANCELLED);
    // Whole frames, and all that were answered.
    int64_t executed = Counter(key);
    while (executed % 10 != 0) executed = Counter(key);  // a frame that is being executed
    EXPECT_GE(executed, replies * 10);
  }
}

TEST_F(PipelineStreamTest, AStreamEndsWithItsDeadline) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  const auto stream = stub_->Pipeline(&context_);
  v1::PipelineResponse reply;
  int64_t replies = 0;
  while (stream->Write(IncrFrame("n", 1)) && stream->Read(&reply)) ++replies;
  EXPECT_EQ(stream->Finish().error_code(), grpc::DEADLINE_EXCEEDED);
  EXPECT_GE(Counter("n"), replies);
  EXPECT_LE(Counter("n"), replies + 1);
}

TEST_F(PipelineStreamTest, AnIdleStreamDoesNotHoldUpTheEnd) {
  const auto stream = stub_->Pipeline(&context_);
  ASSERT_TRUE(stream->Write(IncrFrame("n", 1)));
  v1::PipelineResponse reply;
  ASSERT_TRUE(stream->Read(&reply));
  Shutdown();  // with a grace of 20 s, of which the timeout of this test leaves no doubt
  EXPECT_FALSE(stream->Read(&reply));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::UNAVAILABLE) << status.error_message();
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "SHUTTING_DOWN");
}

// Whoever loses its stream to the end of the server must be right in sending frames without a reply
// elsewhere: they were not executed.
TEST_F(PipelineStreamTest, StreamsUnderLoadEndInOrderAndWithoutUnansweredWork) {
  constexpr int kClients = 6;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = v1::CacheService::NewStub(Connect());
      grpc::ClientContext context;
      const auto stream = stub->Pipeline(&context);
      std::thread writer([&] {
        while (stream->Write(IncrFrame("n" + std::to_string(i), 20))) {
        }
      });
      v1::PipelineResponse reply;
      int64_t last = 0;
      while (stream->Read(&reply)) {
        for (const v1::OperationResult& result : reply.results()) {
          ASSERT_EQ(result.incr().value(), ++last);
        }
        ++answered;
      }
      writer.join();
      const grpc::Status status = stream->Finish();
      // gRPC cancels a stream that nobody had taken up yet.
      EXPECT_TRUE(status.error_code() == grpc::UNAVAILABLE ||
                  (last == 0 && status.error_code() == grpc::CANCELLED))
          << status.error_message();
    });
  }
  while (answered < 500) std::this_thread::yield();
  Shutdown();
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace ferrite
