#include "server/tls/http_tls.h"

#include "server/tls/pem.h"

namespace ferrite {

HttpTls HttpTlsOf(const ServedCertificate* certificate) {
  return {.current =
              [certificate] {
                const std::shared_ptr<const Certificate> now = certificate->current();
                // It was read before. GnuTLS knows fewer forms of keys than OpenSSL.
                return HttpCertificate{.chain = now->chain_pem,
                                       .key = PlainPem(KeyIn(now->key_pem))};
              },
          .generation = [certificate] { return certificate->generation(); }};
}

}  // namespace ferrite
