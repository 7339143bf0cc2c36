#include "client/cli/load/csv.h"

namespace ferrite::cli {

absl::StatusOr<std::vector<std::string>> SplitCsv(std::string_view record) {
  std::vector<std::string> fields(1);
  enum { kStart, kPlain, kQuoted, kAfterQuote } state = kStart;
  for (const char c : record) {
    switch (state) {
      case kQuoted:
        c == '"' ? void(state = kAfterQuote) : fields.back().push_back(c);
        continue;
      case kAfterQuote:
        if (c == '"') {  // two quotes stand for one
          fields.back().push_back(c);
          state = kQuoted;
          continue;
        }
        if (c != ',' && c != '\r') {
          return absl::InvalidArgumentError("something follows a quoted field");
        }
        break;
      case kStart:
        if (c == '"') {
          state = kQuoted;
          continue;
        }
        break;
      case kPlain:
        break;
    }
    if (c == ',') {
      fields.emplace_back();
      state = kStart;
    } else if (state != kAfterQuote) {
      fields.back().push_back(c);
      state = kPlain;
    }
  }
  if (state == kQuoted) return absl::UnavailableError("a quote is not closed");
  if (state == kPlain && fields.back().back() == '\r') fields.back().pop_back();
  return fields;
}

}  // namespace ferrite::cli
