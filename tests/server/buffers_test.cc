// A lone client whose messages nearly fill what gRPC may hold.

#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <string>

#include "ferrite/v1/cache.grpc.pb.h"
#include "server/engine/grpc/grpc_server.h"
#include "server/net/listener.h"

namespace ferrite {
namespace {

constexpr size_t kLargeBytes = size_t{16} << 20;

TEST(Buffers, ALoneClientIsServedWhateverTheSizeOfItsMessages) {
  CounterRegistry counters;
  Admissions admissions{{.operations = 100, .bytes = 1 << 30}};
  SlowCalls slow_calls{absl::ZeroDuration(), 10};
  const std::vector<Rpc> rpcs = {{Method::kExists, Shape::kUnary, [](Turn* turn) {
                                    turn->reply()->AppendMessage(v1::ExistsResponse());
                                    return absl::OkStatus();
                                  }}};
  GrpcServer grpc({.max_receive_bytes = 2 * kLargeBytes, .max_buffer_bytes = 3 * kLargeBytes / 2},
                  &counters, &admissions, &slow_calls);
  Listener listener;
  ASSERT_TRUE(listener.Bind({{"127.0.0.1", 0}}).ok());
  ASSERT_TRUE(grpc.Build(rpcs).ok());
  grpc.Start();
  const auto hand_over = [&](int from, int descriptor) { grpc.Handoff(from, descriptor); };
  EXPECT_TRUE(listener.Start({10}, {}, hand_over).ok());

  const auto stub = v1::CacheService::NewStub(
      grpc::CreateChannel(ToString(listener.addresses()), grpc::InsecureChannelCredentials()));
  v1::ExistsRequest request;
  request.add_keys(std::string(kLargeBytes, 'k'));
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    v1::ExistsResponse response;
    const grpc::Status status = stub->Exists(&context, request, &response);
    EXPECT_TRUE(status.ok()) << i << ": " << status.error_message();
  }

  listener.Stop();
  grpc.Shutdown(
      absl::Seconds(20), absl::UnavailableError("drained"), [](size_t) {},
      [&listener] { return listener.EndConnections(); });
}

}  // namespace
}  // namespace ferrite
