#pragma once

// Shows a token with every call of a channel, so that no call can be made without it.

#include <memory>
#include <utility>
#include <vector>

#include "client/token_source.h"
#include "grpcpp/support/client_interceptor.h"

namespace ferrite {

// For grpc::experimental::CreateCustomChannelWithInterceptors. None without a token.
std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> InterceptorsFor(
    std::shared_ptr<TokenSource> token);

}  // namespace ferrite
