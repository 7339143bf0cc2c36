#pragma once

// Speaks TLS to guests of the Doorman, with the certificate in force.

#include <cstdint>
#include <memory>

#include "server/net/guest_wire.h"
#include "server/tls/pem.h"
#include "server/tls/tls_front.h"

namespace ferrite {

// Not thread-safe.
class TlsGuestWires {
 public:
  // `tls` must outlive it.
  explicit TlsGuestWires(const TlsFront* tls) : tls_(*tls) {}

  // Asks for a certificate as of any client. Handshakes are none of those that are counted.
  std::unique_ptr<GuestWire> Make(int descriptor);

 private:
  const TlsFront& tls_;
  uint64_t generation_ = 0;  // of what the context holds
  ContextPtr context_;
};

}  // namespace ferrite
