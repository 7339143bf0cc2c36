#pragma once

// gRPC's side of TLS where this server is the client.

#include <grpcpp/security/credentials.h>

#include <memory>
#include <mutex>

#include "server/tls/outgoing_tls.h"

namespace ferrite {

// Thread-safe. Copies are the same, so whoever makes many channels makes one of these for all.
class DialCredentials {
 public:
  // Without TLS.
  DialCredentials() : DialCredentials(OutgoingTls{}) {}
  explicit DialCredentials(const OutgoingTls& tls) : made_(std::make_shared<Made>(tls)) {}

  // Made when first asked for: it starts gRPC, whose end hangs where no thread can be made.
  const std::shared_ptr<grpc::ChannelCredentials>& get() const;

 private:
  struct Made {
    explicit Made(const OutgoingTls& of) : tls(of) {}
    const OutgoingTls tls;
    std::once_flag once;
    std::shared_ptr<grpc::ChannelCredentials> credentials;
  };
  std::shared_ptr<Made> made_;
};

}  // namespace ferrite
