#include "server/tls/handshake_fault.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

// OpenSSL's reasons from here on are alerts that were received.
constexpr int kFirstAlert = 1000;

}  // namespace

HandshakeFault FaultOfFailed(const SSL* tls) {
  const int reason = ERR_GET_REASON(ERR_peek_error());
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return HandshakeFault::kNoCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED: {
      const auto result = SSL_get_verify_result(tls);
      return result == X509_V_ERR_CERT_HAS_EXPIRED || result == X509_V_ERR_CERT_NOT_YET_VALID
                 ? HandshakeFault::kExpiredCertificate
                 : HandshakeFault::kUntrustedCertificate;
    }
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_UNKNOWN_PROTOCOL:
      return HandshakeFault::kPlaintext;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_NO_PROTOCOLS_AVAILABLE:
      return HandshakeFault::kVersion;
    default:
      return reason > kFirstAlert ? HandshakeFault::kRefused : HandshakeFault::kOther;
  }
}

std::string FaultText(const SSL* tls) {
  const auto error = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(error);
  std::string text = reason == nullptr ? "unknown" : reason;
  if (ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    absl::StrAppend(&text, ": ", X509_verify_cert_error_string(SSL_get_verify_result(tls)));
  return text;
}

}  // namespace ferrite
