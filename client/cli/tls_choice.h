#pragma once

// How the command line and the environment say that a server speaks TLS.

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "client/credentials.h"
#include "client/tls_options.h"
#include "client/token_options.h"

namespace ferrite::cli {

// What FERRITE_TLS, FERRITE_CA, FERRITE_CERT, FERRITE_KEY and FERRITE_TLS_NAME say.
// INVALID_ARGUMENT if FERRITE_TLS is neither yes nor no.
absl::StatusOr<TlsOptions> TlsOfEnvironment();

// --tls and the others, each of which goes before its variable and turns TLS on.
void AddTlsOptions(CLI::App* app, TlsOptions* tls);

// INVALID_ARGUMENT names the option as it is on the command line.
absl::StatusOr<Credentials> CredentialsFor(const TlsOptions& tls, const TokenOptions& token);

}  // namespace ferrite::cli
