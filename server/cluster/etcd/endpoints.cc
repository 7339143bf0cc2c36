#include "server/cluster/etcd/endpoints.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include "absl/strings/str_cat.h"
#include "base/steady_waits.h"

namespace ferrite::cluster {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const DialCredentials& credentials) {
  (void)WaitsAreSteady();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxEtcdAnswerBytes);
  // Identical channels would share one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Nothing is repeated that may have been executed.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // gRPC adds jitter. MIN also limits how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // etcd cuts off who pings more often than each 5 s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 3'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  return grpc::CreateCustomChannel(target, credentials.get(), arguments);
}

}  // namespace

Endpoints::Endpoints(const std::vector<std::string>& addresses, const DialCredentials& credentials,
                     size_t first)
    : current_(first % addresses.size()) {
  for (const std::string& address : addresses)
    members_.push_back({address, MakeChannel(absl::StrCat("dns:///", address), credentials)});
}

}  // namespace ferrite::cluster
