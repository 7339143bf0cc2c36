#include "client/cli/server_address.h"

#include <algorithm>
#include <array>

namespace ferrite::cli {

std::string CallableAddress(std::string_view listen) {
  constexpr std::array<std::string_view, 5> kEvery = {"*", "", "0.0.0.0", "[::]", "::"};
  const std::string_view first = listen.substr(0, listen.find(','));
  const size_t colon = first.rfind(':');
  if (colon == std::string_view::npos) return std::string(first);
  const bool every =
      std::find(kEvery.begin(), kEvery.end(), first.substr(0, colon)) != kEvery.end();
  return every ? "localhost" + std::string(first.substr(colon)) : std::string(first);
}

}  // namespace ferrite::cli
