#include "server/settings/file_mode.h"

#include <charconv>
#include <string>

#include "absl/strings/str_cat.h"

namespace ferrite {

absl::StatusOr<mode_t> ParseFileMode(std::string_view text) {
  constexpr int kOctal = 8;
  constexpr mode_t kMost = 0777;
  mode_t mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, kOctal);
  if (error != std::errc() || end != text.data() + text.size() || mode > kMost) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", std::string(text), "' is no permissions in octal from 0 to 777, such as 660"));
  }
  return mode;
}

}  // namespace ferrite
