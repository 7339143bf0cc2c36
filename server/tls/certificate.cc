#include "server/tls/certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "server/tls/pem.h"

namespace ferrite {
namespace {

constexpr char kCertFlag[] = "--tls-cert";
constexpr char kKeyFlag[] = "--tls-key";
constexpr char kClientCaFlag[] = "--tls-client-ca";

int64_t UnixSeconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

// Reads and checks step by step; the first fault counts.
class Loader {
 public:
  Loader(const CertificateFiles& files, int64_t unix_s) : files_(files), unix_s_(unix_s) {}

  std::variant<Certificate, CertificateRefusal> Load() {
    if (ReadFiles() && Parse() && CheckDates() && CheckChain() && CheckPurpose() && CheckPair() &&
        CheckClientCa()) {
      return std::move(read_);
    }
    return std::move(refusal_);
  }

 private:
  bool Refuse(CertificateFault fault, const char* flag, const std::string& file,
              const std::string& why) {
    refusal_ = {fault, absl::StrCat(flag, ": ", file, ": ", why)};
    return false;
  }
  bool RefuseCertificate(CertificateFault fault, const std::string& why) {
    return Refuse(fault, kCertFlag, files_.certificate, why);
  }

  bool ReadFiles() {
    return ReadFile(kCertFlag, files_.certificate, &read_.chain_pem) &&
           ReadFile(kKeyFlag, files_.key, &read_.key_pem) &&
           (files_.client_ca.empty() ||
            ReadFile(kClientCaFlag, files_.client_ca, &read_.client_ca_pem));
  }

  bool ReadFile(const char* flag, const std::string& path, std::string* content) {
    absl::StatusOr<std::string> read = ReadCertificateFile(path);
    if (!read.ok())
      return Refuse(CertificateFault::kUnreadable, flag, path,
                    std::string(read.status().message()));
    *content = *std::move(read);
    return true;
  }

  bool Parse() {
    std::optional<std::vector<X509Ptr>> chain = CertificatesIn(read_.chain_pem);
    if (!chain.has_value())
      return RefuseCertificate(
          CertificateFault::kMalformed,
          absl::StrCat("it holds no certificate in PEM: ", OpensslErrorText()));
    chain_ = *std::move(chain);
    key_ = KeyIn(read_.key_pem);
    if (key_ != nullptr) return true;
    return Refuse(
        CertificateFault::kMalformed, kKeyFlag, files_.key,
        absl::StrCat("it holds no private key in PEM without a password: ", OpensslErrorText()));
  }

  bool CheckDates() {
    for (size_t i = 0; i < chain_.size(); ++i) {
      const std::string which = i == 0 ? "it" : absl::StrCat("certificate ", i + 1, " of it");
      const int64_t from = UnixSeconds(X509_get0_notBefore(chain_[i].get()));
      const int64_t until = UnixSeconds(X509_get0_notAfter(chain_[i].get()));
      if (unix_s_ > until)
        return RefuseCertificate(CertificateFault::kExpired,
                                 absl::StrCat(which, " expired at ", UtcText(until)));
      if (unix_s_ < from)
        return RefuseCertificate(CertificateFault::kNotYetValid,
                                 absl::StrCat(which, " is not valid before ", UtcText(from)));
      if (i == 0) read_.lifetime_s = until - from;
      read_.expires_unix_s = i == 0 ? until : std::min(read_.expires_unix_s, until);
    }
    return true;
  }

  bool CheckChain() {
    for (size_t i = 0; i + 1 < chain_.size(); ++i) {
      X509* const issuer = chain_[i + 1].get();
      if (X509_check_issued(issuer, chain_[i].get()) == X509_V_OK &&
          X509_verify(chain_[i].get(), X509_get0_pubkey(issuer)) == 1) {
        continue;
      }
      return RefuseCertificate(CertificateFault::kChain,
                               absl::StrCat("certificate ", i + 2,
                                            " of it did not issue the one "
                                            "before: put the server's first, then its issuer"));
    }
    return true;
  }

  bool CheckPurpose() {
    if (X509_check_purpose(chain_[0].get(), X509_PURPOSE_SSL_SERVER, 0) != 1) {
      return RefuseCertificate(CertificateFault::kPurpose,
                               "it is not for servers, by its key usage");
    }
    if (!files_.is_shown || X509_check_purpose(chain_[0].get(), X509_PURPOSE_SSL_CLIENT, 0) == 1)
      return true;
    return RefuseCertificate(CertificateFault::kPurpose,
                             "it is not for clients, by its key usage, and a node of a cluster "
                             "shows it to the others");
  }

  // As whoever serves it will use it: this also refuses keys that are too weak.
  bool CheckPair() {
    if (X509_check_private_key(chain_[0].get(), key_.get()) != 1) {
      ERR_clear_error();
      return Refuse(CertificateFault::kMismatch, kKeyFlag, files_.key,
                    absl::StrCat("it is not the key of ", files_.certificate));
    }
    const ContextPtr context(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate(context.get(), chain_[0].get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key_.get()) != 1) {
      return RefuseCertificate(CertificateFault::kMalformed, OpensslErrorText());
    }
    return true;
  }

  bool CheckClientCa() {
    if (files_.client_ca.empty()) return true;
    const std::optional<std::vector<X509Ptr>> authorities = CertificatesIn(read_.client_ca_pem);
    if (!authorities.has_value())
      return RefuseClientCa(absl::StrCat("it holds no certificate in PEM: ", OpensslErrorText()));
    for (const X509Ptr& authority : *authorities)
      if (unix_s_ <= UnixSeconds(X509_get0_notAfter(authority.get()))) return true;
    return RefuseClientCa("all of its certificates have expired");
  }
  bool RefuseClientCa(const std::string& why) {
    return Refuse(CertificateFault::kClientCa, kClientCaFlag, files_.client_ca, why);
  }

  const CertificateFiles& files_;
  const int64_t unix_s_;
  Certificate read_;
  CertificateRefusal refusal_;
  std::vector<X509Ptr> chain_;
  KeyPtr key_;
};

}  // namespace

std::variant<Certificate, CertificateRefusal> LoadCertificate(const CertificateFiles& files,
                                                              int64_t unix_s) {
  return Loader(files, unix_s).Load();
}

absl::StatusOr<std::string> ReadCertificateFile(const std::string& path) {
  const std::unique_ptr<FILE, OpensslDeleter<std::fclose>> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) return absl::UnknownError(ErrorText(errno));
  std::string content(kMaxCertificateFileBytes + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get()) != 0) return absl::UnknownError(ErrorText(errno));
  if (content.size() > kMaxCertificateFileBytes) {
    return absl::UnknownError(
        absl::StrCat("it has more than ", kMaxCertificateFileBytes, " bytes"));
  }
  return content;
}

std::string UtcText(int64_t unix_s) {
  const std::time_t time = unix_s;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts));
}

}  // namespace ferrite
