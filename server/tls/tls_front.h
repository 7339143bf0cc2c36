#pragma once

// What a server has for connections over TLS.

#include <memory>
#include <utility>

#include "server/tls/handshakes.h"
#include "server/tls/served_certificate.h"

namespace ferrite {

// What is asked of clients, where there are authorities for their certificates.
enum class ClientCertificates { kRequired, kOptional };

// Thread-safe.
struct TlsFront {
  TlsFront(std::unique_ptr<ServedCertificate> served, ClientCertificates asked,
           size_t most_handshakes)
      : certificate(std::move(served)), clients(asked), handshakes(most_handshakes) {}

  const std::unique_ptr<ServedCertificate> certificate;
  const ClientCertificates clients;
  Handshakes handshakes;
};

}  // namespace ferrite
