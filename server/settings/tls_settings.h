#pragma once

// What a server has to be told to speak TLS.

#include <cstddef>

#include "server/settings/flag_reader.h"
#include "server/tls/certificate.h"
#include "server/tls/tls_front.h"

namespace ferrite {

struct TlsSettings {
  CertificateFiles files;  // no certificate: no TLS
  ClientCertificates clients = ClientCertificates::kRequired;
  size_t most_handshakes = 0;

  bool on() const { return !files.certificate.empty(); }
};

// Reads them from the flags, which have to agree with each other; the files are not read. There may
// be `max_connections`.
TlsSettings ReadTlsSettings(FlagReader* reader, size_t max_connections);

}  // namespace ferrite
