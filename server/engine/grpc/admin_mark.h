#pragma once

// Tells the calls of connections that came in where administrators call from all others. gRPC says
// of a call where it came from, but not on which listener. What it does keep for each connection is
// who its peer is: there the mark lies, where no peer can put it.

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_context.h>

#include <memory>

namespace ferrite {

// Has connections that are opened with these credentials marked.
void MarkConnectionsOf(grpc_server_credentials* credentials);

// No TLS; its connections are marked.
std::shared_ptr<grpc::ServerCredentials> MarkedPlainCredentials();

// Whether its connection is marked.
bool IsMarked(grpc::ServerContext* context);

}  // namespace ferrite
