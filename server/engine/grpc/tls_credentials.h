#pragma once

// gRPC's side of TLS: versions 1.2 and 1.3, with a certificate that may be renewed at any time.

#include <memory>

#include <grpcpp/security/server_credentials.h>

#include "server/tls/tls_front.h"

namespace ferrite {

// Who is asked for a certificate.
enum class AskedOf { kClients, kNobody };

// Connections that begin get the certificate that is in force by then, without a pause. They have
// to be handed over one after the other, and are marked if told so (admin_mark.h). `tls` must
// outlive the server.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsFront* tls, AskedOf asked,
                                                        bool marks = false);

}  // namespace ferrite
