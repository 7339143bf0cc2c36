#pragma once

// What is wrong between this command and a server that cannot be reached, where TLS is the reason:
// gRPC hardly says.

#include <string>

#include "client/tls_options.h"

namespace ferrite::cli {

// A sentence, with the option that mends it; empty if nothing is found. Connects to `address`, for
// some seconds at most.
std::string TlsAdvice(const std::string& address, const TlsOptions& tls);

}  // namespace ferrite::cli
