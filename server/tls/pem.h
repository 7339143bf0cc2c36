#pragma once

// What OpenSSL makes of PEM, owned.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ferrite {

template <auto free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>>;

// All certificates, in order; absent if there is none, or one cannot be read.
std::optional<std::vector<X509Ptr>> CertificatesIn(const std::string& pem);

// Null if there is none, or it cannot be read, as it needs a password.
KeyPtr KeyIn(const std::string& pem);

// In the form that everybody reads: PKCS #8, without a password.
std::string PlainPem(const KeyPtr& key);

// What OpenSSL says went wrong last on this thread, for people; forgets all of it.
std::string OpensslErrorText();

}  // namespace ferrite
