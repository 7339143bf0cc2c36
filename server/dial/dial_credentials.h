#pragma once

// gRPC's side of TLS where this server is the client.

#include <grpcpp/security/credentials.h>

#include <memory>

#include "server/tls/outgoing_tls.h"

namespace ferrite {

// Thread-safe. Copies are the same, so whoever makes many channels makes one of these for all.
class DialCredentials {
 public:
  // Without TLS.
  DialCredentials() : DialCredentials(OutgoingTls{}) {}
  explicit DialCredentials(const OutgoingTls& tls);

  const std::shared_ptr<grpc::ChannelCredentials>& get() const { return made_; }

 private:
  std::shared_ptr<grpc::ChannelCredentials> made_;
};

}  // namespace ferrite
