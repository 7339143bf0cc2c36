#include "base/nearest_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace ferrite {
namespace {

bool SameLetter(char a, char b) {
  return absl::ascii_tolower(static_cast<unsigned char>(a)) ==
         absl::ascii_tolower(static_cast<unsigned char>(b));
}

// The optimal string alignment distance.
size_t TypingErrors(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (SameLetter(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && SameLetter(a[i - 1], b[j - 2]) && SameLetter(a[i - 2], b[j - 1]))
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> NearestNames(std::string_view word,
                                      const std::vector<std::string>& names) {
  std::vector<std::string> nearest;
  size_t fewest = std::max<size_t>(1, word.size() / 3);
  for (const std::string& name : names) {
    // Each letter by which one is longer is an error.
    const size_t difference =
        std::max(word.size(), name.size()) - std::min(word.size(), name.size());
    if (difference > fewest) continue;
    const size_t errors = TypingErrors(word, name);
    if (errors > fewest || errors >= name.size()) continue;
    if (errors < fewest) nearest.clear();
    fewest = errors;
    nearest.push_back(name);
  }
  return nearest;
}

}  // namespace ferrite
