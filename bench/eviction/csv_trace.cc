#include "bench/eviction/csv_trace.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "store/operation.h"

namespace ferrite::bench {
namespace {

[[noreturn]] void Refuse(absl::string_view place, absl::string_view why) {
  std::fputs(absl::StrCat("ferrite-trace: ", place, ": ", why, "\n").c_str(), stderr);
  std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

// What is wrong with the size; empty if nothing is.
absl::string_view ParseSize(absl::string_view text, uint32_t* size) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *size);
  if (error == std::errc::result_out_of_range) return "the size is 4 GiB or more";
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? "" : "the size is not a whole number of bytes";
}

}  // namespace

Trace ReadCsvTrace(const std::string& file) {
  std::ifstream input(file);
  if (!input) Refuse(file, "is neither a synthetic trace (see --list) nor a file");
  TraceBuilder<std::string, std::unordered_map<std::string, uint32_t>> builder;
  std::string line;
  for (size_t number = 1; std::getline(input, line); ++number) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const auto refuse = [&](absl::string_view why) {
      Refuse(absl::StrCat(file, ", line ", number), why);
    };
    const std::vector<absl::string_view> columns = absl::StrSplit(line, ',');
    if (columns.size() != 3)
      refuse(absl::StrCat("has ", columns.size(), " columns and not the three of time,key,size"));
    const absl::string_view size_text = absl::StripAsciiWhitespace(columns[2]);
    if (number == 1 && size_text.find_first_of("0123456789") == size_text.npos) continue;
    uint32_t size = 0;
    if (const absl::string_view wrong = ParseSize(size_text, &size); !wrong.empty()) refuse(wrong);
    const std::string key(columns[1]);
    if (key.empty()) refuse("the key is empty");
    if (key.size() > kMaxKeyBytes)
      refuse(absl::StrCat("the key has ", key.size(), " B, more than ", kMaxKeyBytes));
    builder.Add(key, size, [](const std::string& bytes) { return bytes; });
  }
  if (builder.size() == 0) Refuse(file, "holds no request");
  return builder.Take();
}

}  // namespace ferrite::bench
