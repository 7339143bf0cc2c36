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

class NamespaceInterceptor final : public Interceptor {
 public:
  explicit NamespaceInterceptor(const std::string* name) : name_(*name) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA))
      methods->GetSendInitialMetadata()->emplace("ferrite-namespace", name_);
    methods->Proceed();
  }

 private:
  const std::string& name_;
};

class NamespaceInterceptors final : public ClientInterceptorFactoryInterface {
 public:
  explicit NamespaceInterceptors(std::string name) : name_(std::move(name)) {}
  Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new NamespaceInterceptor(&name_);
  }

 private:
  const std::string name_;
};

}  // namespace

std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> InterceptorsFor(
    std::shared_ptr<TokenSource> token, const std::string& name_space) {
  std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> interceptors;
  if (token != nullptr) {
    interceptors.push_back(std::make_unique<TokenInterceptors>(std::move(token)));
  }
  if (!name_space.empty())
    interceptors.push_back(std::make_unique<NamespaceInterceptors>(name_space));
  return interceptors;
}

}  // namespace ferrite
