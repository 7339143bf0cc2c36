#include "server/tls/tls_test_peer.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/tls/pem.h"

namespace ferrite {
namespace {

class TlsTestPeer final : public TestPeer {
 public:
  explicit TlsTestPeer(int descriptor)
      : descriptor_(descriptor),
        context_(SSL_CTX_new(TLS_client_method())),
        tls_(SSL_new(context_.get())) {
    static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
    SSL_set_alpn_protos(tls_.get(), kHttp2, sizeof(kHttp2));
    SSL_set_connect_state(tls_.get());
    SSL_set_fd(tls_.get(), descriptor);
  }

  bool Send(std::string_view bytes) override {
    while (true) {
      const int sent = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (sent > 0) return true;  // it sends all or nothing
      if (!AwaitNext(sent)) return false;
    }
  }
  bool Receive(std::string* bytes) override {
    char piece[512];
    while (true) {
      const int size = SSL_read(tls_.get(), piece, sizeof(piece));
      if (size > 0) {
        bytes->append(piece, static_cast<size_t>(size));
        return true;
      }
      if (!AwaitNext(size)) return false;
    }
  }

 private:
  struct Freed {
    void operator()(SSL* tls) const { SSL_free(tls); }
  };

  // Waits until it can go on after that result. False if it cannot.
  bool AwaitNext(int result) {
    const int error = SSL_get_error(tls_.get(), result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return Await(descriptor_, POLLIN);
    return error == SSL_ERROR_WANT_WRITE && Await(descriptor_, POLLOUT);
  }

  const int descriptor_;
  const ContextPtr context_;
  const std::unique_ptr<SSL, Freed> tls_;
};

}  // namespace

std::unique_ptr<TestPeer> MakeTlsTestPeer(int descriptor) {
  return std::make_unique<TlsTestPeer>(descriptor);
}

}  // namespace ferrite
