#pragma once

// Where to listen, as people write it.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ferrite {

// "HOST:PORT"; a host that holds colons stands in brackets, as in "[::1]:6380".
struct Address {
  std::string host;
  int port = 0;

  std::string ToString() const;
};

// INVALID_ARGUMENT if `text` is not of that form or the port is beyond 65535.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace ferrite
