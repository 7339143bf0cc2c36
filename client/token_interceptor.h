#pragma once

// Shows a token with every call of a channel, and names its namespace, so that no call can be made
// without them.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/token_source.h"
#include "grpcpp/support/client_interceptor.h"

namespace ferrite {

// For grpc::experimental::CreateCustomChannelWithInterceptors. None without a token and a name.
std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> InterceptorsFor(
    std::shared_ptr<TokenSource> token, const std::string& name_space);

}  // namespace ferrite
