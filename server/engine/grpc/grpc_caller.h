#pragma once

// What gRPC's context of a call says of its caller (Caller).

#include <grpcpp/server_context.h>

#include <optional>
#include <string>
#include <string_view>

#include "server/call/caller.h"

namespace ferrite {

Caller::Clock::time_point DeadlineOf(const grpc::ServerContext& context);
// Where it came from: "ipv4:127.0.0.1:50000", "ipv6:[::1]:50000", or "unix", as clients of a Unix
// domain socket have no names.
std::string PeerOf(const grpc::ServerContext& context);
// A number of its connection (Transport::connection).
uint64_t ConnectionOf(grpc::ServerContext* context);

// Those that the connection's handshake has verified. They stay for as long as the call.
CertificateNames CertificateNamesOf(grpc::ServerContext* context);

std::optional<std::string_view> MetadataOf(const grpc::ServerContext& context,
                                           std::string_view name);

}  // namespace ferrite
