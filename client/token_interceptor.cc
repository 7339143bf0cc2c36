#include "client/token_interceptor.h"

namespace ferrite {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;

class TokenInterceptor final : public Interceptor {
 public:
  explicit TokenInterceptor(TokenSource* token) : token_(*token) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", token_.Authorization());
    }
    methods->Proceed();
  }

 private:
  TokenSource& token_;
};

class TokenInterceptors final : public ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptors(std::shared_ptr<TokenSource> token) : token_(std::move(token)) {}
  // gRPC destroys it with its call, and this with the channel, which outlives the call.
  Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new TokenInterceptor(token_.get());
  }

 private:
  const std::shared_ptr<TokenSource> token_;
};

}  // namespace

std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> InterceptorsFor(
    std::shared_ptr<TokenSource> token) {
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> interceptors;
  if (token != nullptr) {
    interceptors.push_back(std::make_unique<TokenInterceptors>(std::move(token)));
  }
  return interceptors;
}

}  // namespace ferrite
