#pragma once

#include "server/net/http_certificate.h"
#include "server/tls/served_certificate.h"

namespace ferrite {

// Has HTTP show what gRPC shows. `certificate` must outlive it.
HttpTls HttpTlsOf(const ServedCertificate* certificate);

}  // namespace ferrite
