#pragma once

// Why a TLS handshake failed.

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <string>

namespace ferrite {

enum class HandshakeFault {
  kNoCertificate,         // of the client, which has to show one
  kUntrustedCertificate,  // of the client: no authority of --tls-client-ca has issued it
  kExpiredCertificate,    // of the client, or not yet valid
  kPlaintext,             // it speaks no TLS
  kVersion,               // nothing but versions before 1.2
  kRefused,               // by the client, such as one that does not trust the server's certificate
  kLeft,                  // the client closed the connection
  kTimeout,               // it took too long
  kDisplaced,             // by newer ones
  kOther
};
inline constexpr size_t kHandshakeFaults = 10;
// Labels of metrics.
inline constexpr std::array<const char*, kHandshakeFaults> kHandshakeFaultNames = {
    "no_certificate",
    "untrusted_certificate",
    "expired_certificate",
    "plaintext",
    "version",
    "refused",
    "left",
    "timeout",
    "displaced",
    "other"};

// Of a handshake of a server that just failed; the thread's errors of OpenSSL say why, and stay.
HandshakeFault FaultOfFailed(const SSL* tls);

// The same for people, such as "certificate verify failed: self-signed certificate".
std::string FaultText(const SSL* tls);

}  // namespace ferrite
