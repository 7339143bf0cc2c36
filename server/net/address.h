#pragma once

// Where to listen, as people write it.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace ferrite {

// One of
//   HOST:PORT           a name or an address of this machine; one that holds colons stands in
//                       brackets, as in [::1]:6380
//   *:PORT, :PORT       every address of this machine, of both families
//   unix:PATH           a Unix domain socket; unix:///PATH as well
//   unix-abstract:NAME  one that has a name but no file
struct Address {
  enum class Kind { kTcp, kUnix, kAbstract };

  std::string host;  // or the path, or the name
  int port = 0;      // of TCP; 0: any that is free
  Kind kind = Kind::kTcp;

  // Whether it stands for every address, and so for both families: "*" and "::".
  bool IsEveryAddress() const { return kind == Kind::kTcp && (host == "*" || host == "::"); }

  // Whether it stands for every address of a family, or of both.
  bool IsEveryOfAFamily() const {
    return IsEveryAddress() || (kind == Kind::kTcp && host == "0.0.0.0");
  }

  // In the form in which ParseAddress() takes it, and clients do.
  std::string ToString() const;
};

// INVALID_ARGUMENT with what is allowed in the text.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// One or more, separated by commas.
absl::StatusOr<std::vector<Address>> ParseAddresses(std::string_view text);
// The same, the other way round.
std::string ToString(const std::vector<Address>& addresses);

}  // namespace ferrite
