#include "server/tls/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

namespace ferrite {
namespace {

// Nobody is there to type a password.
int NoPassword(char*, int, int, void*) { return -1; }

BioPtr Reader(const std::string& pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

}  // namespace

std::optional<std::vector<X509Ptr>> CertificatesIn(const std::string& pem) {
  ERR_clear_error();
  const BioPtr reader = Reader(pem);
  std::vector<X509Ptr> certificates;
  while (X509* const next = PEM_read_bio_X509(reader.get(), nullptr, NoPassword, nullptr))
    certificates.emplace_back(next);
  if (certificates.empty() || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return std::nullopt;
  ERR_clear_error();
  return certificates;
}

KeyPtr KeyIn(const std::string& pem) {
  ERR_clear_error();
  return KeyPtr(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, NoPassword, nullptr));
}

std::string PlainPem(const KeyPtr& key) {
  const BioPtr writer(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(writer.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* text = nullptr;
  const long size = BIO_get_mem_data(writer.get(), &text);  // NOLINT(google-runtime-int): OpenSSL's
  return std::string(text, static_cast<size_t>(size));
}

std::string OpensslErrorText() {
  const unsigned long error = ERR_peek_last_error();  // NOLINT(google-runtime-int): OpenSSL's
  const char* const reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "it cannot be read" : reason;
}

}  // namespace ferrite
