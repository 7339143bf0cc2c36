#pragma once

// What connections to others are made with: to other nodes, and to etcd.

#include <string>

#include "absl/status/status.h"

namespace ferrite {

// Files are PEM, and are read again each second.
struct OutgoingTls {
  bool enabled = false;
  std::string ca_file;           // the authorities of the others; empty: those of the system
  std::string certificate_file;  // what is shown to them; empty: nothing
  std::string key_file;
};

// INVALID_ARGUMENT, with the flag, the file and the reason, if a file cannot be used. Its flags
// begin with `prefix`, as "--etcd-".
absl::Status CheckOutgoing(const OutgoingTls& tls, const std::string& prefix);

}  // namespace ferrite
