#include "bench/eviction/csv_trace.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "store/operation.h"

namespace ferrite::bench {
namespace {

[[noreturn]] void Refuse(const std::string& place, const char* why) {
  std::fprintf(stderr, "ferrite-trace: %s: %s\n", place.c_str(), why);
  std::exit(EXIT_FAILURE);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

bool ParseSize(std::string_view text, uint32_t* size) {
  while (!text.empty() && (text.back() == ' ' || text.back() == 0x0d)) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *size);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Trace ReadCsvTrace(const std::string& file) {
  std::ifstream input(file);
  if (!input) Refuse(file, "is neither a synthetic trace (see --list) nor a file");
  TraceBuilder<std::string, std::unordered_map<std::string, uint32_t>> builder;
  std::string line;
  for (size_t number = 1; std::getline(input, line); ++number) {
    if (line.empty()) continue;
    // A key may hold commas.
    const size_t first = line.find(',');
    const size_t last = line.rfind(',');
    if (first == last) Refuse(file + ", line " + std::to_string(number), "is not time,key,size");
    uint32_t size = 0;
    if (!ParseSize(std::string_view(line).substr(last + 1), &size)) {
      if (number == 1) continue;
      Refuse(file + ", line " + std::to_string(number), "the size is not a number of bytes");
    }
    const std::string key = line.substr(first + 1, last - first - 1);
    if (key.empty()) Refuse(file + ", line " + std::to_string(number), "the key is empty");
    if (key.size() > kMaxKeyBytes)
      Refuse(file + ", line " + std::to_string(number), "the key is too long");
    builder.Add(key, size, [](const std::string& bytes) { return bytes; });
  }
  if (builder.size() == 0) Refuse(file, "holds no request");
  return builder.Take();
}

}  // namespace ferrite::bench
