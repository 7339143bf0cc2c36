#include "client/channel.h"

#include "base/steady_waits.h"
#include "client/token_interceptor.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace ferrite {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const Credentials& credentials) {
  // Where it cannot be had, as in a library that is loaded at run time, there is nothing to do.
  (void)WaitsAreSteady();
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  arguments.SetMaxSendMessageSize(-1);  // the server knows its limits and names them in its errors

  // Identical channels would share one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);

  // Only our own policy retries: it alone knows what is safe to repeat.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);

  // By default gRPC waits for up to two minutes before it reconnects to a node that was gone for a
  // moment. MIN also limits how long one connection attempt may take.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);

  // Detects a peer that vanished during a call; pings rarely enough not to look like abuse.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);

  // A cache is on the local network; http_proxy in the environment is not meant for it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);

  const auto make = [&](const std::shared_ptr<grpc::ChannelCredentials>& channel_credentials) {
    return grpc::experimental::CreateCustomChannelWithInterceptors(
        address, channel_credentials, arguments,
        InterceptorsFor(credentials.token, credentials.name_space));
  };
  if (credentials.tls == nullptr || address.starts_with("unix:"))
    return make(grpc::InsecureChannelCredentials());
  if (!credentials.server_name.empty()) arguments.SetSslTargetNameOverride(credentials.server_name);
  return make(credentials.tls);
}

}  // namespace ferrite
