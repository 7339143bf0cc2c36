#pragma once

// The standard reflection service (grpc.reflection.v1, and v1alpha, which differs by its name
// alone): lets tools such as grpcurl call a server whose .proto files they do not have.

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "server/engine/rpc.h"

namespace ferrite {

// Thread-safe once it is made.
class Reflection {
 public:
  // Tells of all services of the table of methods (method.h).
  Reflection();

  // The handler of one request of a stream.
  absl::Status Reflect(Turn* turn) const;

 private:
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  using Response = grpc::reflection::v1::ServerReflectionResponse;

  void Fill(const Request& request, Response* response) const;
  void ListServices(Response* response) const;
  void ListExtensions(const std::string& type, Response* response) const;

  google::protobuf::DescriptorPool pool_{google::protobuf::DescriptorPool::generated_pool()};
};

}  // namespace ferrite
