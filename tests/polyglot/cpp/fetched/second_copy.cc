// Uses the client, and loads a library that has google.rpc and grpc.health, as many do. A second
// copy in the client would end the program when they register.

#include <dlfcn.h>

#include <iostream>

#include "ferrite/client.h"
#include "google/protobuf/descriptor.h"

int main(int, char** argv) {
  ferrite::ClientOptions options;
  options.seeds = {argv[1]};
  const auto client = ferrite::Client::Create(options);
  if (!client.ok()) return 1;
  std::cout << ferrite::ReasonOf((*client)->Get("").status()) << "\n"
            << *(*client)->IsServing() << std::endl;
  if (dlopen(THEIRS, RTLD_NOW) == nullptr) return 1;
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  std::cout << pool->FindMessageTypeByName("google.rpc.Status")->full_name() << "\n"
            << pool->FindMessageTypeByName("grpc.health.v1.HealthCheckRequest")->full_name()
            << "\n";
}
