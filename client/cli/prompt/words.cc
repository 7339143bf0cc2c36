#include "client/cli/prompt/words.h"

#include "absl/strings/str_cat.h"
#include "client/cli/bytes.h"

namespace ferrite::cli {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Reads a line from left to right.
class Splitter {
 public:
  explicit Splitter(std::string_view line) : rest_(line) {}

  absl::StatusOr<std::vector<std::string>> Split() {
    std::vector<std::string> words;
    while (SkipBlanks()) {
      if (words.empty() && rest_.front() == '#') break;
      words.emplace_back();
      if (absl::Status status = TakeWord(&words.back()); !status.ok()) return status;
    }
    return words;
  }

 private:
  // False at the end.
  bool SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
    return !rest_.empty();
  }

  char Take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  absl::Status TakeWord(std::string* word) {
    while (!rest_.empty() && kBlanks.find(rest_.front()) == std::string_view::npos) {
      const char c = Take();
      absl::Status status;
      if (c == '\'') {
        status = TakeSingleQuoted(word);
      } else if (c == '"') {
        status = TakeDoubleQuoted(word);
      } else if (c == '\\') {
        if (rest_.empty()) return absl::InvalidArgumentError("a backslash ends the line");
        word->push_back(Take());
      } else {
        word->push_back(c);
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status TakeSingleQuoted(std::string* word) {
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return NotClosed();
    word->append(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return absl::OkStatus();
  }

  absl::Status TakeDoubleQuoted(std::string* word) {
    std::string text;  // with the escapes that FromDisplayText knows
    while (!rest_.empty()) {
      const char c = Take();
      if (c == '"') {
        absl::StatusOr<std::string> bytes = FromDisplayText(text);
        if (bytes.ok()) word->append(*bytes);
        return bytes.status();
      }
      if (c == '\\' && !rest_.empty() && rest_.front() == '"') {
        text += Take();
      } else if (c == '\\' && !rest_.empty()) {
        text += c;
        text += Take();
      } else {
        text += c;
      }
    }
    return NotClosed();
  }

  static absl::Status NotClosed() { return absl::InvalidArgumentError("a quote is not closed"); }

  std::string_view rest_;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line) {
  return Splitter(line).Split();
}

}  // namespace ferrite::cli
