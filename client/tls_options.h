#pragma once

// How a client and the servers that it calls know each other.

#include <compare>
#include <string>

namespace ferrite {

// Files are PEM. They are read again each second or so, so whoever renews them need not tell;
// connections that begin use what is new. One that cannot be used then fails them until it is
// mended.
struct TlsOptions {
  // Whether connections over TCP speak TLS, 1.2 or 1.3. All else counts only then.
  bool enabled = false;
  // The authorities that may have issued the server's certificate; empty: those that the system
  // trusts.
  std::string ca_file = {};
  // What the client shows to a server that asks for it, the certificate first and then those that
  // issued it; both are there, or none.
  std::string certificate_file = {};
  std::string key_file = {};
  // The name that the server's certificate must have; empty: the host of its address.
  std::string server_name = {};

  auto operator<=>(const TlsOptions&) const = default;
};

}  // namespace ferrite
