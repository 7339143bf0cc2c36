#pragma once

// The token that a client shows with its calls, for servers that have a policy.

#include <compare>
#include <string>

namespace ferrite {

// At most one of them is set. Without TLS a token can be read on its way.
struct TokenOptions {
  std::string text = {};
  // A file with the token, which is read again when it has changed: such as one that Kubernetes
  // renews. Calls that begin then show the new one, streams that are open the one they began with.
  std::string file = {};

  auto operator<=>(const TokenOptions&) const = default;
};

}  // namespace ferrite
