#include "server/tls/tls_guest_wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ferrite {
namespace {

struct Freed {
  void operator()(SSL* tls) const { SSL_free(tls); }
};

class TlsGuestWire final : public GuestWire {
 public:
  TlsGuestWire(SSL_CTX* context, int descriptor) : tls_(SSL_new(context)) {
    SSL_set_fd(tls_.get(), descriptor);
    SSL_set_accept_state(tls_.get());
  }

  ssize_t Receive(void* bytes, size_t most) override {
    return After(SSL_read(tls_.get(), bytes, static_cast<int>(most)));
  }
  ssize_t Send(const void* bytes, size_t size) override {
    return After(SSL_write(tls_.get(), bytes, static_cast<int>(size)));
  }
  Wait wait() const override { return wait_; }

 private:
  // What recv() or send() would say of that result.
  ssize_t After(int result) {
    wait_ = Wait::kNothing;
    if (result > 0) return result;
    const int error = SSL_get_error(tls_.get(), result);
    ERR_clear_error();
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    errno = waits ? EAGAIN : EPROTO;
    if (waits && SSL_is_init_finished(tls_.get()) == 0)
      wait_ = error == SSL_ERROR_WANT_READ ? Wait::kInput : Wait::kOutput;
    return -1;
  }

  const std::unique_ptr<SSL, Freed> tls_;
  Wait wait_ = Wait::kInput;
};

int ChooseHttp2(SSL*, const unsigned char** chosen, unsigned char* size,
                const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kHttp2, sizeof(kHttp2), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// All of it was checked when it was loaded.
ContextPtr ContextOf(const Certificate& certificate, ClientCertificates asked) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseHttp2, nullptr);
  const std::optional<std::vector<X509Ptr>> chain = CertificatesIn(certificate.chain_pem);
  if (chain.has_value()) {
    SSL_CTX_use_certificate(context.get(), chain->front().get());
    for (size_t i = 1; i < chain->size(); ++i)
      SSL_CTX_add1_chain_cert(context.get(), (*chain)[i].get());
  }
  SSL_CTX_use_PrivateKey(context.get(), KeyIn(certificate.key_pem).get());
  if (certificate.client_ca_pem.empty()) return context;
  const auto authorities = CertificatesIn(certificate.client_ca_pem);
  for (size_t i = 0; authorities.has_value() && i < authorities->size(); ++i) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), (*authorities)[i].get());
    SSL_CTX_add_client_CA(context.get(), (*authorities)[i].get());
  }
  const bool required = asked == ClientCertificates::kRequired;
  SSL_CTX_set_verify(context.get(),
                     SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return context;
}

}  // namespace

std::unique_ptr<GuestWire> TlsGuestWires::Make(int descriptor) {
  if (const uint64_t now = tls_.certificate->generation(); now != generation_) {
    generation_ = now;
    context_ = ContextOf(*tls_.certificate->current(), tls_.clients);
  }
  return std::make_unique<TlsGuestWire>(context_.get(), descriptor);
}

}  // namespace ferrite
