#pragma once

// What connections are made with.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/tls_options.h"
#include "client/token_options.h"
#include "client/token_source.h"
#include "grpcpp/security/credentials.h"

namespace ferrite {

// For MakeChannel().
struct Credentials {
  std::shared_ptr<grpc::ChannelCredentials> tls;  // null: there is no TLS
  std::string server_name;                        // empty: the host of the address
  std::shared_ptr<TokenSource> token;             // null: none is shown
  std::string name_space = {};                    // of all calls; empty: none is named
};

// INVALID_ARGUMENT, with the option and the file, if a file cannot be read. Whoever makes many
// channels makes one of these for all: it has a thread that looks at the files.
absl::StatusOr<Credentials> MakeCredentials(const TlsOptions& tls, const TokenOptions& token);

}  // namespace ferrite
