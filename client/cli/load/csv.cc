#include "client/cli/load/csv.h"

namespace ferrite::cli {

absl::Status CsvRecord::Take(char c) {
  std::string& field = fields_.back();
  if (state_ == State::kQuoted) {
    if (c == '"') {
      state_ = State::kAfterQuote;
    } else {
      field.push_back(c);
    }
    return absl::OkStatus();
  }
  if (c == '"' && state_ == State::kStart) {
    state_ = State::kQuoted;
  } else if (c == '"' && state_ == State::kAfterQuote) {  // two quotes stand for one
    field.push_back(c);
    state_ = State::kQuoted;
  } else if (c == ',') {
    fields_.emplace_back();
    state_ = State::kStart;
  } else if (state_ != State::kAfterQuote) {
    field.push_back(c);
    state_ = State::kPlain;
  } else if (c != '\r') {
    return absl::InvalidArgumentError("something follows a quoted field");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvRecord::Add(std::string_view line) {
  if (bytes_ > 0) fields_.back().push_back('\n');  // it goes on
  bytes_ += line.size() + 1;
  for (const char c : line) {
    if (absl::Status status = Take(c); !status.ok()) return status;
  }
  if (state_ == State::kQuoted) return false;
  std::string& last = fields_.back();
  if (state_ == State::kPlain && last.back() == '\r') last.pop_back();
  return true;
}

}  // namespace ferrite::cli
