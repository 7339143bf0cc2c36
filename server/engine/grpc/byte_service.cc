#include "server/engine/grpc/byte_service.h"

namespace ferrite {
namespace {

grpc::internal::RpcMethod::RpcType TypeOf(std::string_view type) {
  if (type == "bidi_stream") return grpc::internal::RpcMethod::BIDI_STREAMING;
  if (type == "server_stream") return grpc::internal::RpcMethod::SERVER_STREAMING;
  return grpc::internal::RpcMethod::NORMAL_RPC;
}

}  // namespace

ByteService::ByteService(std::string_view name) {
  for (size_t i = 0; i < kMethodCount; ++i) {
    const MethodName& method = kMethodNames[i];
    if (method.service != name) continue;
    const int index = static_cast<int>(indices_.size());
    const std::string& path =
        paths_.emplace_back("/" + std::string(name) + "/" + std::string(method.method));
    AddMethod(new grpc::internal::RpcServiceMethod(path.c_str(), TypeOf(method.type), nullptr));
    MarkMethodRaw(index);
    indices_[static_cast<Method>(i)] = index;
  }
}

}  // namespace ferrite
