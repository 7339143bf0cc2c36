#include "server/tls/outgoing_tls.h"

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/tls/certificate.h"
#include "server/tls/pem.h"

namespace ferrite {
namespace {

absl::Status Refusal(const std::string& flag, const std::string& file, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(flag, ": ", file, ": ", why));
}

absl::StatusOr<std::vector<X509Ptr>> ReadCertificates(const std::string& flag,
                                                      const std::string& file) {
  const absl::StatusOr<std::string> pem = ReadCertificateFile(file);
  if (!pem.ok()) return Refusal(flag, file, std::string(pem.status().message()));
  std::optional<std::vector<X509Ptr>> certificates = CertificatesIn(*pem);
  if (!certificates.has_value())
    return Refusal(flag, file,
                   absl::StrCat("it holds no certificate in PEM: ", OpensslErrorText()));
  return *std::move(certificates);
}

}  // namespace

absl::Status CheckOutgoing(const OutgoingTls& tls, const std::string& prefix) {
  if (!tls.ca_file.empty()) {
    const auto authorities = ReadCertificates(prefix + "ca", tls.ca_file);
    if (!authorities.ok()) return authorities.status();
  }
  if (tls.certificate_file.empty()) return absl::OkStatus();
  const auto chain = ReadCertificates(prefix + "cert", tls.certificate_file);
  if (!chain.ok()) return chain.status();
  const absl::StatusOr<std::string> pem = ReadCertificateFile(tls.key_file);
  if (!pem.ok()) return Refusal(prefix + "key", tls.key_file, std::string(pem.status().message()));
  const KeyPtr key = KeyIn(*pem);
  if (key == nullptr)
    return Refusal(
        prefix + "key", tls.key_file,
        absl::StrCat("it holds no private key in PEM without a password: ", OpensslErrorText()));
  if (X509_check_private_key(chain->front().get(), key.get()) != 1)
    return Refusal(prefix + "key", tls.key_file,
                   absl::StrCat("it is not the key of ", tls.certificate_file));
  return absl::OkStatus();
}

}  // namespace ferrite
