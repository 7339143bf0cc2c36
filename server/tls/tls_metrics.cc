#include "server/tls/tls_metrics.h"

#include "server/metrics/family.h"

namespace ferrite {

std::vector<prometheus::MetricFamily> TlsMetrics::Collect() const {
  using prometheus::MetricType;
  const ServedCertificate& certificate = *tls_.certificate;
  const Handshakes& handshakes = tls_.handshakes;
  auto refused =
      MakeFamily("ferrite_tls_certificate_refused_total",
                 "New certificates that were refused, so that the old one stayed, by reason.",
                 MetricType::Counter);
  for (size_t i = 0; i < kCertificateFaults; ++i) {
    AddCounter(&refused, {{"reason", kCertificateFaultNames[i]}},
               static_cast<double>(certificate.refused(static_cast<CertificateFault>(i))));
  }
  auto failed =
      MakeFamily("ferrite_tls_handshake_failures_total",
                 "TLS handshakes with clients that failed, by reason.", MetricType::Counter);
  for (size_t i = 0; i < kHandshakeFaults; ++i) {
    AddCounter(&failed, {{"reason", kHandshakeFaultNames[i]}},
               static_cast<double>(handshakes.failed(static_cast<HandshakeFault>(i))));
  }
  return {
      refused,
      failed,
      SingleGauge("ferrite_tls_certificate_expires_in_seconds",
                  "Until the certificate in force expires; negative when it has.",
                  static_cast<double>(certificate.expires_in_s())),
      SingleGauge("ferrite_tls_certificate_lifetime_seconds",
                  "How long the certificate in force is valid in all.",
                  static_cast<double>(certificate.current()->lifetime_s)),
      SingleGauge("ferrite_tls_certificate_is_current",
                  "1 if the certificate in force is that of the files; 0 if theirs is refused.",
                  certificate.is_current() ? 1 : 0),
      SingleCounter("ferrite_tls_certificate_renewed_total",
                    "Certificates that took the place of another.",
                    static_cast<double>(certificate.renewed())),
      SingleCounter("ferrite_tls_handshakes_total", "TLS handshakes with clients that were done.",
                    static_cast<double>(handshakes.done())),
      SingleGauge("ferrite_tls_handshakes_in_progress", "TLS handshakes with clients in progress.",
                  static_cast<double>(handshakes.in_progress())),
      SingleGauge("ferrite_tls_handshakes_limit",
                  "The limit on ferrite_tls_handshakes_in_progress.",
                  static_cast<double>(handshakes.limit()))};
}

}  // namespace ferrite
