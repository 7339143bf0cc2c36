#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ferrite {

// The bytes of a text in base64url without padding (RFC 7515); absent if it is none, or not the one
// way to write these bytes.
std::optional<std::string> DecodeBase64Url(std::string_view text);
std::string EncodeBase64Url(std::string_view bytes);

}  // namespace ferrite
