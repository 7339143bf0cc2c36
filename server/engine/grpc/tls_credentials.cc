#include "server/engine/grpc/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <cstdint>
#include <string>

#include "server/engine/grpc/admin_mark.h"

namespace ferrite {
namespace {

grpc_ssl_client_certificate_request_type RequestOf(const TlsFront& tls, AskedOf asked) {
  if (asked == AskedOf::kNobody || tls.certificate->current()->client_ca_pem.empty())
    return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  return tls.clients == ClientCertificates::kRequired
             ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
             : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
}

// gRPC's C++ has no way to renew a certificate that is in memory; its C has. gRPC asks it for each
// connection whether there is another.
class RenewableCredentials final : public grpc::ServerCredentials {
 public:
  RenewableCredentials(const TlsFront* tls, AskedOf asked, bool marks)
      : certificate_(*tls->certificate),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(RequestOf(*tls, asked),
                                                                            &Fetch, this))) {
    if (marks) MarkConnectionsOf(credentials_);
  }
  ~RenewableCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    auto& credentials = *static_cast<RenewableCredentials*>(self);
    const uint64_t generation = credentials.certificate_.generation();
    if (generation == credentials.fetched_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    credentials.fetched_ = generation;
    const std::shared_ptr<const Certificate> certificate = credentials.certificate_.current();
    const grpc_ssl_pem_key_cert_pair pair{certificate->key_pem.c_str(),
                                          certificate->chain_pem.c_str()};
    // gRPC insists on authorities, also where no client is asked for a certificate.
    const std::string& authorities =
        certificate->client_ca_pem.empty() ? certificate->chain_pem : certificate->client_ca_pem;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const ServedCertificate& certificate_;
  uint64_t fetched_ = 0;  // the generation that gRPC has
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsFront* tls, AskedOf asked,
                                                        bool marks) {
  return std::make_shared<RenewableCredentials>(tls, asked, marks);
}

}  // namespace ferrite
