#include "server/engine/grpc/admin_mark.h"

#include <grpc/grpc.h>

#include <string>

namespace ferrite {
namespace {

constexpr char kMark[] = "ferrite_admin";

bool HasMark(const grpc_auth_context* peer) {
  grpc_auth_property_iterator found = grpc_auth_context_find_properties_by_name(peer, kMark);
  return grpc_auth_property_iterator_next(&found) != nullptr;
}

// gRPC calls it for each call, and the calls of one connection have one context.
void Mark(void*, grpc_auth_context* peer, const grpc_metadata*, size_t,
          grpc_process_auth_metadata_done_cb done, void* call) {
  if (!HasMark(peer)) grpc_auth_context_add_cstring_property(peer, kMark, "yes");
  done(call, nullptr, 0, nullptr, 0, GRPC_STATUS_OK, nullptr);
}

class PlainCredentials final : public grpc::ServerCredentials {
 public:
  PlainCredentials() { MarkConnectionsOf(credentials_); }
  ~PlainCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* const credentials_ = grpc_insecure_server_credentials_create();
};

}  // namespace

void MarkConnectionsOf(grpc_server_credentials* credentials) {
  grpc_server_credentials_set_auth_metadata_processor(
      credentials, {.process = &Mark, .destroy = nullptr, .state = nullptr});
}

std::shared_ptr<grpc::ServerCredentials> MarkedPlainCredentials() {
  return std::make_shared<PlainCredentials>();
}

bool IsMarked(grpc::ServerContext* context) {
  grpc_auth_context* const peer = grpc_call_auth_context(context->c_call());
  const bool is_marked = HasMark(peer);
  grpc_auth_context_release(peer);
  return is_marked;
}

}  // namespace ferrite
