#include "server/cluster/keys.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/check.h"

namespace ferrite::cluster {

absl::Status CheckName(std::string_view what, std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char letter) {
    return absl::ascii_isalnum(letter) || letter == '.' || letter == '_' || letter == '-';
  });
  if (plain && !name.empty() && name.size() <= kMaxNameBytes) return absl::OkStatus();
  const std::string shown =
      absl::CHexEscape(absl::string_view(name.data(), std::min(name.size(), kMaxNameBytes)));
  return absl::InvalidArgumentError(
      absl::StrFormat("%s \"%s\" is no name: 1 to %d of A-Z, a-z, 0-9, '.', '_' and '-' are",
                      std::string(what), shown, kMaxNameBytes));
}

std::string EndOfPrefix(std::string_view prefix) {
  std::string end(prefix);
  FERRITE_CHECK(!end.empty() && static_cast<unsigned char>(end.back()) < 255);
  ++end.back();
  return end;
}

Keys::Keys(std::string_view cluster)
    : all_("/ferrite/" + std::string(cluster) + "/"),
      map_(all_ + "map"),
      policy_(all_ + "policy"),
      controller_(all_ + "controller"),
      nodes_(all_ + "nodes/"),
      ceilings_(all_ + "ceilings/") {}

}  // namespace ferrite::cluster
