#include "server/settings/tls_settings.h"

#include <algorithm>

namespace ferrite {
namespace {

// Of the connections, those that may be in their handshakes.
constexpr size_t kHandshakePart = 4;
constexpr size_t kMostByDefault = 512;

}  // namespace

TlsSettings ReadTlsSettings(FlagReader* reader, size_t max_connections) {
  TlsSettings settings;
  settings.files = {.certificate = reader->Text("tls-cert"),
                    .key = reader->Text("tls-key"),
                    .client_ca = reader->Text("tls-client-ca")};
  reader->Require(!settings.on() || !settings.files.key.empty(), "tls-cert",
                  "needs tls-key: the key of the certificate");
  for (const char* flag : {"tls-key", "tls-client-ca", "max-handshakes"}) {
    reader->Require(settings.on() || !reader->IsSet(flag) || reader->Text(flag).empty(), flag,
                    "is for TLS: set tls-cert as well");
  }
  const std::string clients = reader->Choice("tls-client-auth", {"require", "optional"});
  settings.clients =
      clients == "require" ? ClientCertificates::kRequired : ClientCertificates::kOptional;
  reader->Require(!settings.files.client_ca.empty() || !reader->IsSet("tls-client-auth"),
                  "tls-client-auth", "is for certificates of clients: set tls-client-ca as well");
  settings.most_handshakes = reader->Count("max-handshakes", {0, 1'000'000});
  if (settings.most_handshakes == 0)
    settings.most_handshakes =
        std::clamp<size_t>(max_connections / kHandshakePart, 1, kMostByDefault);
  return settings;
}

}  // namespace ferrite
