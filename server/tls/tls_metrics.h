#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

#include "server/tls/tls_front.h"

namespace ferrite {

// Of the certificate and of handshakes. Thread-safe.
class TlsMetrics final : public prometheus::Collectable {
 public:
  // It must outlive this.
  explicit TlsMetrics(const TlsFront* tls) : tls_(*tls) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const TlsFront& tls_;
};

}  // namespace ferrite
