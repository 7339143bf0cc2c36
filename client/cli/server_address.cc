#include "client/cli/server_address.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/channel.h"
#include "client/check_options.h"
#include "client/steady_time.h"

namespace ferrite::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(1);

std::string CallableAddress(const std::string& listen) {
  constexpr std::array<std::string_view, 5> kEvery = {"*", "", "0.0.0.0", "[::]", "::"};
  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return listen;
  const bool every =
      std::find(kEvery.begin(), kEvery.end(), listen.substr(0, colon)) != kEvery.end();
  return every ? "localhost" + listen.substr(colon) : listen;
}

}  // namespace

std::vector<std::string> SplitAddresses(std::string_view addresses) {
  return absl::StrSplit(absl::string_view(addresses.data(), addresses.size()), ',');
}

std::string CallableAddresses(std::string_view listen) {
  std::vector<std::string> addresses = SplitAddresses(listen);
  for (std::string& address : addresses) address = CallableAddress(address);
  return absl::StrJoin(addresses, ",");
}

std::string FirstReachable(const std::vector<std::string>& addresses,
                           const Credentials& credentials, absl::Duration timeout) {
  if (addresses.size() == 1) return addresses.front();
  const auto patience = absl::ToChronoNanoseconds(std::min(timeout, kPatience));
  for (const std::string& address : addresses) {
    if (!CheckAddress(address).ok()) continue;
    if (MakeChannel(address, credentials)->WaitForConnected(GrpcTimeIn(patience))) return address;
  }
  return addresses.front();
}

}  // namespace ferrite::cli
