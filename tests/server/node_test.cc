// A whole node in this process, called over loopback. The tests of shutdown are meant for the
// thread sanitizer as well.

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "ferrite/v1/cache.grpc.pb.h"
#include "tests/server/node_fixture.h"
#include "tests/server/system_faults.h"

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

// A node that may have few operations in progress, some of which nobody reads.
class OverloadedNodeTest : public testing::Test {
 protected:
  OverloadedNodeTest() {
    settings_.max_inflight_operations = 3;
    settings_.connection_share_percent = 100;
    node_.emplace(settings_);
    EXPECT_TRUE(node_->Start().ok());
    // With a window that grows as it goes, a whole scan may be under way to a client that does not
    // read, and so be done with for the server.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    stub_ = v1::CacheService::NewStub(grpc::CreateCustomChannel(
        node_->grpc_address(), grpc::InsecureChannelCredentials(), arguments));
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(Set(i).ok());
  }
  ~OverloadedNodeTest() override {
    if (!ended_) node_->Shutdown();
  }

  grpc::Status Set(int number) {
    v1::SetRequest request;
    request.set_key("k" + std::to_string(number));
    request.set_value(std::string(500'000, 'v'));
    v1::SetResponse response;
    grpc::ClientContext context;
    return stub_->Set(&context, request, &response);
  }
  grpc::Status Get(grpc::ClientContext* context) {
    v1::GetRequest request;
    request.set_key("absent");
    v1::GetResponse response;
    return stub_->Get(context, request, &response);
  }
  // A scan of which only the first message is read, so that it stays in progress.
  struct StalledScan {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::ScanResponse>> reader;
  };
  std::unique_ptr<StalledScan> Stall() {
    v1::ScanRequest request;
    request.set_with_values(true);
    v1::ScanResponse response;
    while (true) {
      auto scan = std::make_unique<StalledScan>();
      scan->reader = stub_->Scan(&scan->context, request);
      if (scan->reader->Read(&response)) return scan;
      // A call before it may hold its place for a moment after its answer has arrived.
      EXPECT_EQ(scan->reader->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    }
  }

  Settings settings_ = TestSettings();
  std::optional<Node> node_;
  bool ended_ = false;
  std::unique_ptr<v1::CacheService::Stub> stub_;
};

TEST_F(OverloadedNodeTest, RefusesUntilStalledCallsAreCancelled) {
  std::vector<std::unique_ptr<StalledScan>> scans;
  for (int i = 0; i < 3; ++i) scans.push_back(Stall());
  for (int i = 0; i < 10; ++i) {
    grpc::ClientContext context;
    const grpc::Status status = Get(&context);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
    EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1u);
  }
  for (const auto& scan : scans) {
    scan->context.TryCancel();
    EXPECT_EQ(scan->reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // The server learns of it in its own time; then all of the budget is there again.
  grpc::Status status;
  do {
    grpc::ClientContext context;
    status = Get(&context);
  } while (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(OverloadedNodeTest, AFrameBeyondTheBudgetEndsItsStreamUnexecuted) {
  grpc::ClientContext context;
  const auto stream = stub_->Pipeline(&context);
  v1::PipelineRequest frame;
  frame.add_operations()->mutable_incr()->set_key("n");
  v1::PipelineResponse reply;
  ASSERT_TRUE(stream->Write(frame));
  ASSERT_TRUE(stream->Read(&reply));

  std::vector<std::unique_ptr<StalledScan>> scans;
  for (int i = 0; i < 3; ++i) scans.push_back(Stall());
  ASSERT_TRUE(stream->Write(frame));
  EXPECT_FALSE(stream->Read(&reply));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(context.GetServerTrailingMetadata().count("grpc-retry-pushback-ms"), 1u);

  for (const auto& scan : scans) scan->context.TryCancel();
  for (const auto& scan : scans) scan->reader->Finish();
  v1::IncrRequest request;
  request.set_key("n");
  v1::IncrResponse counter;
  grpc::Status counted;
  do {
    grpc::ClientContext another;
    counted = stub_->Incr(&another, request, &counter);
  } while (counted.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(counter.value(), 2);
}

TEST_F(OverloadedNodeTest, EndsInOrderWhileItRefuses) {
  std::vector<std::unique_ptr<StalledScan>> scans;
  for (int i = 0; i < 3; ++i) scans.push_back(Stall());
  std::atomic<bool> stop = false;
  std::thread client([&] {
    while (!stop) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
      Get(&context);
    }
  });
  std::thread shutdown([this] { node_->Shutdown(); });
  ended_ = true;
  for (const auto& scan : scans) scan->context.TryCancel();
  for (const auto& scan : scans) scan->reader->Finish();
  shutdown.join();
  stop = true;
  client.join();
}

TEST(NodeStartTest, ASecondNodeOnThePortIsRefused) {
  Settings settings = TestSettings();
  Node first(settings);
  ASSERT_TRUE(first.Start().ok());
  Settings second_settings = TestSettings();
  second_settings.listen = *ParseAddresses(first.grpc_address());
  Node second(second_settings);
  const absl::Status status = second.Start();
  EXPECT_NE(status.message().find("in use"), std::string::npos) << status;
  first.Shutdown();
}

// The last step of the start fails, when gRPC's threads run already.
TEST(NodeStartTest, AStartThatFailsEndsInOrder) {
  Settings settings = TestSettings();
  Node first(settings);  // has gRPC make what it makes once
  ASSERT_TRUE(first.Start().ok());
  settings.http_listen.clear();
  {
    Node second(settings);
    InjectFaults({SystemCall::kEpollSet, EMFILE});
    const absl::Status status = second.Start();
    StopFaults();
    EXPECT_EQ(status.message(), "cannot make an epoll set: Too many open files");
  }
  first.Shutdown();
}

// Alone, it does without what the machine does not have.
TEST(NodeStartTest, ANodeOfAClusterNeedsAllOfItsAddresses) {
  Settings settings = TestSettings();
  settings.listen = *ParseAddresses("127.0.0.1:0,[::1]:0");
  for (const bool alone : {true, false}) {
    if (!alone) {
      settings.cluster.name = "c";
      settings.cluster.etcd_endpoints = {"127.0.0.1:1"};
      settings.cluster.node_id = "n";
      settings.cluster.lease_ttl = absl::Seconds(3);
    }
    Node node(settings);
    InjectFaults({SystemCall::kV6Socket, EAFNOSUPPORT});
    const absl::Status status = node.Start();
    StopFaults();
    EXPECT_EQ(status.ok(), alone) << status;
    if (alone)
      node.Shutdown();
    else
      EXPECT_NE(status.message().find("--listen"), std::string::npos) << status;
  }
}

TEST(NodeStartTest, AnHttpPortInUseIsRefused) {
  Settings settings = TestSettings();
  Node first(settings);
  ASSERT_TRUE(first.Start().ok());
  Settings second_settings = TestSettings();
  second_settings.http_listen = *ParseAddresses(first.http_address());
  Node second(second_settings);
  const absl::Status status = second.Start();
  EXPECT_NE(status.message().find(first.http_address()), std::string::npos) << status;
  first.Shutdown();
}

}  // namespace
}  // namespace ferrite
