#include "server/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <charconv>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ferrite {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr std::string_view kAbstract = "unix-abstract:";
// What the kernel has room for, the byte that ends a path, or begins a name, not counted.
constexpr size_t kMaxUnixBytes = sizeof(sockaddr_un::sun_path) - 1;

template <typename... Parts>
absl::Status Bad(std::string_view text, const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("'", std::string(text), "' ", parts...));
}

absl::StatusOr<Address> ParseUnix(std::string_view text) {
  const bool abstract = text.starts_with(kAbstract);
  std::string_view name = text.substr(abstract ? kAbstract.size() : kUnix.size());
  if (!abstract && name.starts_with("//")) {
    name.remove_prefix(2);
    if (!name.starts_with('/'))
      return Bad(text, "is not unix:PATH or unix:///PATH, such as unix:/run/ferrite.sock");
  }
  if (name.empty())
    return Bad(text, "names no ", abstract ? "socket" : "path, such as unix:/run/ferrite.sock");
  if (name.size() > kMaxUnixBytes) {
    return Bad(text, "is too long: ", name.size(), " bytes, and the limit of the system is ",
               kMaxUnixBytes);
  }
  if (name.find('\0') != std::string_view::npos) return Bad(text, "holds a byte 0");
  return Address{.host = std::string(name),
                 .port = 0,
                 .kind = abstract ? Address::Kind::kAbstract : Address::Kind::kUnix};
}

// Nothing but digits; -1 if it is no port.
int ParsePort(std::string_view text) {
  int port = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && port >= 0 && port <= 65535 ? port : -1;
}

// A link-local address means nothing without the interface that it is of.
bool NeedsZone(std::string_view host) {
  in6_addr v6;
  return inet_pton(AF_INET6, std::string(host).c_str(), &v6) == 1 && IN6_IS_ADDR_LINKLOCAL(&v6);
}

}  // namespace

std::string Address::ToString() const {
  switch (kind) {
    case Kind::kUnix:
      return absl::StrCat("unix:", host);
    case Kind::kAbstract:
      return absl::StrCat("unix-abstract:", host);
    case Kind::kTcp:
      break;
  }
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  if (text.starts_with(kUnix) || text.starts_with(kAbstract)) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  const int port = colon == std::string_view::npos ? -1 : ParsePort(text.substr(colon + 1));
  if (port < 0) {
    return Bad(text,
               "is not HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:6380, nor "
               "unix:PATH");
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]") != std::string_view::npos) {
    return Bad(text, "is not clear: an IPv6 address stands in brackets, such as [::1]:6380");
  }
  if (host.empty()) host = "*";
  if (NeedsZone(host))
    return Bad(text, "is a link-local address, which needs a zone, such as [fe80::1%eth0]:6380");
  return Address{.host = std::string(host), .port = port};
}

absl::StatusOr<std::vector<Address>> ParseAddresses(std::string_view text) {
  std::vector<Address> addresses;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(part);
    absl::StatusOr<Address> address = ParseAddress({trimmed.data(), trimmed.size()});
    if (!address.ok()) return address.status();
    addresses.push_back(*std::move(address));
  }
  return addresses;
}

std::string ToString(const std::vector<Address>& addresses) {
  return absl::StrJoin(addresses, ",", [](std::string* out, const Address& address) {
    out->append(address.ToString());
  });
}

}  // namespace ferrite
