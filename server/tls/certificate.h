#pragma once

// The certificate that a server shows, read from files and checked before anybody relies on it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"

namespace ferrite {

// In PEM, at most kMaxCertificateFileBytes each. The certificate comes first in its file, then
// those that issued it. Authorities of clients' certificates may be none (empty).
struct CertificateFiles {
  std::string certificate;
  std::string key;
  std::string client_ca;
  // Whether the server shows it to others as well, as a node of a cluster does. There are
  // authorities of clients then.
  bool is_shown = false;
};
inline constexpr size_t kMaxCertificateFileBytes = size_t{1} << 20;

// Checked: all of it fits together, and was valid when it was read.
struct Certificate {
  std::string chain_pem;
  std::string key_pem;
  std::string client_ca_pem;   // empty: clients are not asked for certificates
  int64_t expires_unix_s = 0;  // the first of the chain
  int64_t lifetime_s = 0;      // of the server's own, from its first second to its last

  bool operator==(const Certificate&) const = default;
};

// Why a certificate cannot be served.
enum class CertificateFault {
  kUnreadable,
  kMalformed,
  kMismatch,  // the key is another certificate's
  kExpired,
  kNotYetValid,
  kChain,    // one certificate of the file did not issue the one before
  kPurpose,  // it is not for servers, or of a node and not for clients
  kClientCa
};
inline constexpr size_t kCertificateFaults = 8;
// Labels of metrics.
inline constexpr std::array<const char*, kCertificateFaults> kCertificateFaultNames = {
    "unreadable",    "malformed", "mismatch", "expired",
    "not_yet_valid", "chain",     "purpose",  "client_ca"};

struct CertificateRefusal {
  CertificateFault fault = CertificateFault::kUnreadable;
  std::string text;  // with the flag and the file
};

// `unix_s` is the time at which it must be valid.
std::variant<Certificate, CertificateRefusal> LoadCertificate(const CertificateFiles& files,
                                                              int64_t unix_s);

// All of such a file. UNKNOWN, with the reason, if it cannot be read, or is too large.
absl::StatusOr<std::string> ReadCertificateFile(const std::string& path);

// "2026-11-30 23:59:59 UTC"
std::string UtcText(int64_t unix_s);

}  // namespace ferrite
