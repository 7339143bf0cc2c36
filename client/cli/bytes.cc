#include "client/cli/bytes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ferrite::cli {
namespace {

absl::string_view Abseil(std::string_view text) { return {text.data(), text.size()}; }

// The length of the well-formed UTF-8 character at the start of `bytes`, which is not empty; 0 if
// there is none.
size_t CharacterLength(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (at(0) < 0x80) return 1;
  size_t length;
  uint32_t code_point;
  uint32_t least;
  if ((at(0) & 0xE0) == 0xC0) {
    length = 2, code_point = at(0) & 0x1F, least = 0x80;
  } else if ((at(0) & 0xF0) == 0xE0) {
    length = 3, code_point = at(0) & 0x0F, least = 0x800;
  } else if ((at(0) & 0xF8) == 0xF0) {
    length = 4, code_point = at(0) & 0x07, least = 0x10000;
  } else {
    return 0;
  }
  if (bytes.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (at(i) & 0x3F);
  }
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  return code_point >= least && code_point <= 0x10FFFF && !surrogate ? length : 0;
}

std::string Escaped(char c) {
  switch (c) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    case '\\':
      return "\\\\";
    default:
      return absl::StrFormat("\\x%02x", static_cast<uint8_t>(c));
  }
}

// C1 controls (U+0080 to U+009F) control terminals as C0 ones do.
bool IsControl(std::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return character.size() == 2 && first == 0xC2 && static_cast<uint8_t>(character[1]) < 0xA0;
}

}  // namespace

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = CharacterLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

nlohmann::ordered_json JsonBytes(std::string_view bytes) {
  if (IsUtf8(bytes)) return std::string(bytes);
  return {{"base64", absl::Base64Escape(Abseil(bytes))}};
}

std::string DisplayText(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t length = CharacterLength(bytes);
    const std::string_view character = bytes.substr(0, length == 0 ? 1 : length);
    if (length == 0 || IsControl(character) || character == "\\") {
      for (const char c : character) text += Escaped(c);
    } else {
      text += character;
    }
    bytes.remove_prefix(character.size());
  }
  return text;
}

absl::StatusOr<std::string> FromDisplayText(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    const char kind = i + 1 < text.size() ? text[i + 1] : '\0';
    const absl::string_view digits = Abseil(text.substr(std::min(i + 2, text.size()), 2));
    if (const size_t known = std::string_view("nrt\\").find(kind); known < 4) {
      bytes += "\n\r\t\\"[known];
      i += 1;
    } else if (kind == 'x' && digits.size() == 2 && absl::ascii_isxdigit(digits[0]) &&
               absl::ascii_isxdigit(digits[1])) {
      bytes += absl::HexStringToBytes(digits);
      i += 3;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", Abseil(text), "\" has a backslash that begins none of the escapes ",
                       R"(\n, \r, \t, \\ and \xff)"));
    }
  }
  return bytes;
}

absl::StatusOr<std::string> DecodeArgument(std::string_view argument, bool base64) {
  if (!base64) return std::string(argument);
  std::string bytes;
  if (absl::Base64Unescape(Abseil(argument), &bytes)) return bytes;
  return absl::InvalidArgumentError(absl::StrCat("\"", Abseil(argument), "\" is not base64"));
}

}  // namespace ferrite::cli
