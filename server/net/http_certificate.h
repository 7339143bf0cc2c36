#pragma once

// What an HTTP server shows over TLS.

#include <cstdint>
#include <functional>
#include <string>

namespace ferrite {

// In PEM: the server's certificate, then those that issued it; and its key.
struct HttpCertificate {
  std::string chain;
  std::string key;
};

// Where it comes from, as it may be renewed.
struct HttpTls {
  std::function<HttpCertificate()> current;
  std::function<uint64_t()> generation;  // grows with each; is asked for each connection
};

}  // namespace ferrite
