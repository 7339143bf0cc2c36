#include "client/cli/tls_advice.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/descriptor.h"

namespace ferrite::cli {
namespace {

constexpr int kPatienceS = 1;
// OpenSSL's reasons from here on are alerts that were received.
constexpr int kFirstAlert = 1000;

struct Freed {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* tls) const { SSL_free(tls); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(addrinfo* found) const { freeaddrinfo(found); }
};
template <typename T>
using Owned = std::unique_ptr<T, Freed>;

// Of "host:port" or "[host]:port".
std::string HostOf(const std::string& address) {
  const std::string host = address.substr(0, address.rfind(':'));
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

Descriptor Connect(const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = address.substr(address.rfind(':') + 1);
  if (getaddrinfo(HostOf(address).c_str(), port.c_str(), &hints, &list) != 0) return {};
  const Owned<addrinfo> found(list);
  const timeval patience{kPatienceS, 0};
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    Descriptor made(socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(made.get(), each->ai_addr, each->ai_addrlen) == 0) return made;
  }
  return {};
}

// "DNS:cache.test, IP:10.0.0.1"
std::string NamesOf(const X509* certificate) {
  const Owned<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    texts.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  return texts.empty() ? "no host by name" : absl::StrJoin(texts, ", ");
}

// A connection to ask with.
class Probe {
 public:
  Probe(const std::string& address, const TlsOptions& tls)
      : tls_(tls), connection_(Connect(address)), context_(SSL_CTX_new(TLS_client_method())) {
    if (!tls.ca_file.empty()) {
      SSL_CTX_load_verify_file(context_.get(), tls.ca_file.c_str());
    } else {
      SSL_CTX_set_default_verify_paths(context_.get());
    }
    if (!tls.certificate_file.empty()) {
      own_fits_ =
          SSL_CTX_use_certificate_chain_file(context_.get(), tls.certificate_file.c_str()) == 1 &&
          SSL_CTX_use_PrivateKey_file(context_.get(), tls.key_file.c_str(), SSL_FILETYPE_PEM) == 1;
    }
    made_.reset(SSL_new(context_.get()));
    const std::string host = tls.server_name.empty() ? HostOf(address) : tls.server_name;
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(made_.get()), host.c_str()) != 1) {
      SSL_set1_host(made_.get(), host.c_str());
      SSL_set_tlsext_host_name(made_.get(), host.c_str());
    }
    ERR_clear_error();
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    SSL_set_alpn_protos(made_.get(), kHttp2, sizeof(kHttp2));
    // Whether it is valid is asked afterwards, so that the server tells what it thinks as well.
    SSL_set_verify(made_.get(), SSL_VERIFY_NONE, nullptr);
    SSL_set_fd(made_.get(), connection_.get());
  }

  bool is_connected() const { return connection_.valid(); }
  bool own_fits() const { return own_fits_; }

  // Whether the server speaks TLS.
  bool Speak() {
    char first;
    // In TLS 1.3 it says afterwards what it thinks of the client, and then speaks first.
    welcome_ = SSL_connect(made_.get()) == 1 && SSL_read(made_.get(), &first, 1) == 1;
    const int reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    return SSL_get0_peer_certificate(made_.get()) != nullptr || reason > kFirstAlert;
  }

  // What is wrong with the server's certificate; empty: nothing.
  std::string CertificateAdvice(const std::string& host) const {
    const X509* const certificate = SSL_get0_peer_certificate(made_.get());
    const auto result = SSL_get_verify_result(made_.get());
    if (certificate == nullptr || result == X509_V_OK) return "";
    switch (result) {
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return absl::StrCat("The server's certificate is for ", NamesOf(certificate), ", not for ",
                            host, ". --tls-name NAME says which of its names is meant.");
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return "The server's certificate has expired.";
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return "The server's certificate is not valid yet; or this machine's clock is late.";
      default:
        return absl::StrCat("The server's certificate is not trusted (",
                            X509_verify_cert_error_string(result), "). ",
                            tls_.ca_file.empty()
                                ? "--ca FILE names its authority."
                                : absl::StrCat("Its authority is not in --ca ", tls_.ca_file, "."));
    }
  }

  // What the server thinks of ours; empty: nothing bad. gRPC's servers just close the connection.
  std::string OwnAdvice() const {
    if (welcome_ || SSL_get0_peer_CA_list(made_.get()) == nullptr) return "";
    const X509* const own = SSL_CTX_get0_certificate(context_.get());
    if (own == nullptr) return "The server wants a certificate: --cert FILE and --key FILE.";
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0)
      return "The certificate of --cert has expired.";
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0)
      return "The certificate of --cert is not valid yet; or this machine's clock is late.";
    return "The server does not accept the certificate of --cert.";
  }

 private:
  const TlsOptions& tls_;
  const Descriptor connection_;
  const Owned<SSL_CTX> context_;
  Owned<SSL> made_;
  bool own_fits_ = true;
  bool welcome_ = false;
};

}  // namespace

std::string TlsAdvice(const std::string& address, const TlsOptions& tls) {
  if (address.starts_with("unix") || address.rfind(':') == std::string::npos) return "";
  Probe probe(address, tls);
  if (!probe.is_connected()) return "";
  if (tls.enabled && !probe.own_fits())
    return "The certificate of --cert cannot be read, or --key is not its key.";
  const bool speaks = probe.Speak();
  if (!tls.enabled) {
    return speaks ? "The server speaks TLS: --tls, and --ca FILE unless the system trusts its "
                    "authority."
                  : "";
  }
  if (!speaks) return "The server speaks no TLS: leave out --tls, and FERRITE_TLS.";
  const std::string host = tls.server_name.empty() ? HostOf(address) : tls.server_name;
  const std::string about_server = probe.CertificateAdvice(host);
  return about_server.empty() ? probe.OwnAdvice() : about_server;
}

}  // namespace ferrite::cli
