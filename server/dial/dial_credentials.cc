#include "server/dial/dial_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace ferrite {
namespace {

constexpr unsigned kLookIntervalS = 1;

std::shared_ptr<grpc::ChannelCredentials> Make(const OutgoingTls& tls) {
  if (!tls.enabled) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  const bool has_own = !tls.certificate_file.empty();
  if (has_own || !tls.ca_file.empty()) {
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            tls.key_file, tls.certificate_file, tls.ca_file, kLookIntervalS));
    if (has_own) options.watch_identity_key_cert_pairs();
    if (!tls.ca_file.empty()) options.watch_root_certs();
  }
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace

const std::shared_ptr<grpc::ChannelCredentials>& DialCredentials::get() const {
  std::call_once(made_->once, [this] { made_->credentials = Make(made_->tls); });
  return made_->credentials;
}

}  // namespace ferrite
