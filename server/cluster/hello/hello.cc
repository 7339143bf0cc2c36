#include "server/cluster/hello/hello.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "base/steady_waits.h"
#include "ferrite/internal/v1/peer.grpc.pb.h"
#include "server/steady/timespec.h"

namespace ferrite::cluster {
namespace {

constexpr int kMaxAnswerBytes = 64 << 10;

}  // namespace

absl::StatusOr<internal::v1::HelloResponse> SayHello(const std::string& address,
                                                     const std::string& own_id,
                                                     const DialCredentials& credentials,
                                                     std::chrono::nanoseconds timeout) {
  (void)WaitsAreSteady();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  const auto stub = internal::v1::PeerService::NewStub(
      grpc::CreateCustomChannel(absl::StrCat("dns:///", address), credentials.get(), arguments));
  grpc::ClientContext context;
  context.set_deadline(ToTimespec(std::chrono::steady_clock::now() + timeout));
  internal::v1::HelloRequest request;
  request.set_node_id(own_id);
  internal::v1::HelloResponse response;
  const grpc::Status status = stub->Hello(&context, request, &response);
  if (status.ok()) return response;
  constexpr size_t kMostOfItsText = 200;
  return absl::UnavailableError(status.error_message().substr(0, kMostOfItsText));
}

}  // namespace ferrite::cluster
