#include "server/net/address.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ferrite {

std::string Address::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  const std::string copy(text);
  const size_t colon = copy.rfind(':');
  Address address;
  if (colon == std::string::npos || !absl::SimpleAtoi(copy.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", copy, "' is not HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:6380"));
  }
  address.host = copy.substr(0, colon);
  if (address.host.size() >= 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  }
  if (address.host.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", copy, "' names no host; 0.0.0.0 or [::] stands for every address of this machine"));
  }
  return address;
}

}  // namespace ferrite
