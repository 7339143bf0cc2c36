#include "client/cli/load/line_reader.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/duration.h"
#include "client/cli/options.h"

namespace ferrite::cli {

absl::Status NoEntry(std::string_view why) {
  return absl::InvalidArgumentError(absl::string_view(why.data(), why.size()));
}

absl::Status CheckTtl(int64_t ttl_ms) {
  if (ttl_ms >= 1 && ttl_ms <= absl::ToInt64Milliseconds(kLongestTtl)) return absl::OkStatus();
  return NoEntry(absl::StrCat("a time to live of ", ttl_ms, " ms is not 1 ms to 100 years"));
}

absl::Status ReadTtl(std::string_view text, FileEntry* entry) {
  if (text.empty()) return absl::OkStatus();
  const absl::StatusOr<absl::Duration> ttl = ParseDuration(text);
  if (!ttl.ok()) return ttl.status();
  entry->ttl_ms = absl::ToInt64Milliseconds(*ttl);
  return CheckTtl(*entry->ttl_ms);
}

absl::StatusOr<bool> LineReader::Next(FileEntry* entry) {
  while (true) {
    absl::StatusOr<bool> more = NextLine(&text_);
    if (!more.ok() || !*more) return more;
    line_ = records_.records();
    if (line_ == 1 && absl::StartsWith(text_, std::string(kByteOrderMark))) text_.erase(0, 3);
    if (text_.find_first_not_of(" \t\r") == std::string::npos) continue;
    *entry = FileEntry();
    const absl::StatusOr<bool> is_entry = Read(&text_, entry);
    if (!is_entry.ok()) return is_entry.status();
    if (*is_entry) return true;
  }
}

}  // namespace ferrite::cli
