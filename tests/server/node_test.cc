// A whole node in this process, called over loopback. The tests of shutdown are meant for the
// thread sanitizer as well.

#include <gtest/gtest.h>

#include <thread>

#include "ferrite/v1/cache.grpc.pb.h"
#include "tests/server/node_fixture.h"

namespace ferrite {
namespace {

TEST_F(NodeTest, ServesACall) {
  const auto stub = v1::CacheService::NewStub(Connect());
  grpc::ClientContext context;
  v1::IncrRequest request;
  request.set_key("n");
  request.set_delta(5);
  v1::IncrResponse response;
  const grpc::Status status = stub->Incr(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.value(), 5);
}

TEST_F(NodeTest, ACallWhoseDeadlineHasPassedIsNotExecuted) {
  const auto stub = v1::CacheService::NewStub(Connect());
  for (int i = 0; i < 200; ++i) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::microseconds(i * 5));
    v1::IncrRequest request;
    request.set_key("n");
    v1::IncrResponse response;
    const grpc::Status status = stub->Incr(&context, request, &response);
    EXPECT_TRUE(status.ok() || status.error_code() == grpc::DEADLINE_EXCEEDED)
        << status.error_message();
  }
}

// Many clients at work while the node ends: every call gets an answer, nothing aborts, and what was
// acknowledged had happened in order.
TEST_F(NodeTest, EndsInOrderUnderLoad) {
  constexpr int kClients = 8;
  std::atomic<int> answered = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = v1::CacheService::NewStub(Connect());
      int64_t last = 0;
      while (true) {
        grpc::ClientContext context;
        context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
        v1::IncrRequest request;
        request.set_key("n" + std::to_string(i));
        v1::IncrResponse response;
        const grpc::Status status = stub->Incr(&context, request, &response);
        if (!status.ok()) {
          EXPECT_TRUE(status.error_code() == grpc::UNAVAILABLE ||
                      status.error_code() == grpc::CANCELLED)
              << status.error_code() << " " << status.error_message();
          return;
        }
        EXPECT_EQ(response.value(), last + 1);
        last = response.value();
        ++answered;
      }
    });
  }
  while (answered < 500) std::this_thread::yield();
  Shutdown();
  for (std::thread& client : clients) client.join();
}

TEST_F(NodeTest, EndsWhileAScanIsBeingRead) {
  const auto stub = v1::CacheService::NewStub(Connect());
  for (int i = 0; i < 300; ++i) {
    grpc::ClientContext context;
    v1::SetRequest request;
    request.set_key("k" + std::to_string(i));
    request.set_value(std::string(100'000, 'v'));
    v1::SetResponse response;
    ASSERT_TRUE(stub->Set(&context, request, &response).ok());
  }
  grpc::ClientContext context;
  v1::ScanRequest request;
  request.set_with_values(true);
  const auto reader = stub->Scan(&context, request);
  v1::ScanResponse response;
  ASSERT_TRUE(reader->Read(&response));
  std::thread shutdown([this] { Shutdown(); });
  int entries = response.entries_size();
  while (reader->Read(&response)) entries += response.entries_size();
  const grpc::Status status = reader->Finish();
  if (status.ok()) {
    EXPECT_EQ(entries, 300);
  }
  shutdown.join();
}

TEST(NodeStartTest, ASecondNodeOnThePortIsRefused) {
  Settings settings = TestSettings();
  Node first(settings);
  ASSERT_TRUE(first.Start().ok());
  Settings second_settings = TestSettings();
  second_settings.listen = *ParseAddress(first.grpc_address());
  Node second(second_settings);
  const absl::Status status = second.Start();
  EXPECT_NE(status.message().find("in use"), std::string::npos) << status;
  first.Shutdown();
}

TEST(NodeStartTest, AnHttpPortInUseIsRefused) {
  Settings settings = TestSettings();
  Node first(settings);
  ASSERT_TRUE(first.Start().ok());
  Settings second_settings = TestSettings();
  second_settings.http_listen = *ParseAddress(first.http_address());
  Node second(second_settings);
  const absl::Status status = second.Start();
  EXPECT_NE(status.message().find(first.http_address()), std::string::npos) << status;
  first.Shutdown();
}

}  // namespace
}  // namespace ferrite
