#include "client/cli/load/file_kind.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "client/cli/bytes.h"

namespace ferrite::cli {
namespace {

using namespace std::string_view_literals;

struct FileKind {
  std::string_view beginning;
  std::string_view what;
};

constexpr FileKind kKinds[] = {
    {"\x7f\x45LF"sv, "it is a program or library (ELF)"},
    {"\x1f\x8b"sv, "it is compressed by gzip; try zcat FILE | ferrite load"},
    {"\x28\xb5\x2f\xfd"sv, "it is compressed by zstd; try zstdcat FILE | ferrite load"},
    {"\xfd\x37zXZ\0"sv, "it is compressed by xz; try xzcat FILE | ferrite load"},
    {"BZh"sv, "it is compressed by bzip2; try bzcat FILE | ferrite load"},
    {"PK\x03\x04"sv, "it is a zip archive; try unzip -p FILE | ferrite load"},
    {"REDIS0"sv, "it is a dump of Redis (RDB), which ferrite cannot read"},
    {"SQLite format 3\0"sv, "it is an SQLite database"},
};

// What nobody would name a key by whom ferrite need not be told the format.
bool IsText(std::string_view key) {
  return IsUtf8(key) && std::none_of(key.begin(), key.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

}  // namespace

std::string KnownFileKind(std::string_view beginning) {
  for (const FileKind& kind : kKinds)
    if (beginning.starts_with(kind.beginning)) return std::string(kind.what);
  return "";
}

bool HasKeysBetweenNuls(std::string_view beginning) {
  size_t keys = 0;
  while (!beginning.empty()) {
    const size_t end = beginning.find('\0');
    if (end == std::string_view::npos) break;  // it goes on behind what was read
    const std::string_view key = beginning.substr(0, end);
    if (key.empty() || !IsText(key)) return false;
    ++keys;
    const size_t value_end = beginning.find('\0', end + 1);
    if (value_end == std::string_view::npos) break;
    beginning.remove_prefix(value_end + 1);
  }
  return keys > 0;
}

}  // namespace ferrite::cli
