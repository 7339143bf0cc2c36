#pragma once

// Keys and values are bytes; people and JSON need text.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace ferrite::cli {

// Whether `bytes` is well-formed UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool IsUtf8(std::string_view bytes);

// A JSON string when `bytes` is UTF-8, else {"base64": "..."}. Loses nothing.
nlohmann::ordered_json JsonBytes(std::string_view bytes);

// For a line on a terminal: UTF-8 unchanged; control characters, backslashes and bytes that are not
// UTF-8 as \n, \\, \xff.
std::string DisplayText(std::string_view bytes);

// The inverse of DisplayText: reads \n, \r, \t, \\ and \xff, and takes all else as it is.
// INVALID_ARGUMENT, with a message for people, if a backslash begins something else.
absl::StatusOr<std::string> FromDisplayText(std::string_view text);

// The bytes that `argument` stands for: its own, or with `base64` those that it encodes.
absl::StatusOr<std::string> DecodeArgument(std::string_view argument, bool base64);

}  // namespace ferrite::cli
