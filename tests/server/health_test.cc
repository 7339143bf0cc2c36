// The health service of a node in this process. What it tells is tested from outside as well, by
// tests/polyglot; the tests of coming and going are meant for the thread sanitizer.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/health/health.h"
#include "tests/server/node_fixture.h"

namespace ferrite {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

TEST_F(NodeTest, HealthIsTold) {
  const auto stub = Health::NewStub(Connect());
  grpc::ClientContext context;
  HealthCheckResponse response;
  ASSERT_TRUE(stub->Check(&context, HealthCheckRequest(), &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
}

// A node of a cluster is alive while it may not answer for keys, or it would be restarted for an
// etcd that is gone.
TEST(HealthOfKeys, IsApartFromThatOfTheServer) {
  ferrite::Health health;
  const auto status_of = [&](const char* service) {
    HealthCheckRequest request;
    request.set_service(service);
    HealthCheckResponse response;
    EXPECT_TRUE(health.Check(request, &response).ok());
    return response.status();
  };
  health.SetServing(true);
  EXPECT_EQ(status_of("ferrite.v1.CacheService"), HealthCheckResponse::SERVING);
  health.SetKeysServed(false);
  EXPECT_EQ(status_of("ferrite.v1.CacheService"), HealthCheckResponse::NOT_SERVING);
  for (const char* service : {"", "ferrite.v1.AdminService", "ferrite.v1.ClusterService"})
    EXPECT_EQ(status_of(service), HealthCheckResponse::SERVING);
  health.SetServing(false);
  health.SetKeysServed(true);
  for (const char* service : {"", "ferrite.v1.CacheService"})
    EXPECT_EQ(status_of(service), HealthCheckResponse::NOT_SERVING);
}

// A server with any callback service has threads of gRPC's that poll its connections beside the
// queues' own, which cost a third of its CPU.
TEST_F(NodeTest, NobodyPollsBesideTheQueues) {
  const auto stub = Health::NewStub(Connect());
  grpc::ClientContext context;
  HealthCheckResponse response;
  ASSERT_TRUE(stub->Check(&context, HealthCheckRequest(), &response).ok());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    EXPECT_NE(name, "nexting_thread");
  }
}

TEST_F(NodeTest, WatchesComeAndGo) {
  const auto stub = Health::NewStub(Connect());
  std::vector<std::thread> watchers;
  for (int i = 0; i < 4; ++i) {
    watchers.emplace_back([&] {
      for (int turn = 0; turn < 100; ++turn) {
        grpc::ClientContext context;
        const auto stream = stub->Watch(&context, HealthCheckRequest());
        HealthCheckResponse response;
        // Every other one leaves before it is told anything.
        if (turn % 2 == 0) {
          EXPECT_TRUE(stream->Read(&response));
          EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
        }
        context.TryCancel();
        EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
      }
    });
  }
  for (std::thread& watcher : watchers) watcher.join();
}

TEST_F(NodeTest, WatchesAreToldOfTheEnd) {
  const auto stub = Health::NewStub(Connect());
  grpc::ClientContext context;
  const auto stream = stub->Watch(&context, HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  std::thread end([&] { Shutdown(); });
  EXPECT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  EXPECT_FALSE(stream->Read(&response));
  end.join();
}

}  // namespace
}  // namespace ferrite
