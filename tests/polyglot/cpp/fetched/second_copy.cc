// Has generated google.rpc and grpc.health itself, as programs with gRPC do, and uses the client besides. A second copy in the
// client would end the program before main.

#include <iostream>

#include "ferrite/client.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpc/health/v1/health.pb.h"

int main(int, char** argv) {
  ferrite::ClientOptions options;
  options.seeds = {argv[1]};
  const auto client = ferrite::Client::Create(options);
  if (!client.ok()) return 1;
  const auto refused = (*client)->Get("");
  google::rpc::ErrorInfo info;
  info.ParseFromString(std::string(*refused.status().GetPayload(ferrite::kErrorInfoTypeUrl)));
  std::cout << google::rpc::Status::descriptor()->full_name() << " " << info.reason() << "\n"
            << grpc::health::v1::HealthCheckRequest::descriptor()->full_name() << " "
            << *(*client)->IsServing() << "\n";
}
