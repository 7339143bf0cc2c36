#include "client/cli/records.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"
#include "client/cli/interrupt.h"

namespace ferrite::cli {
namespace {

constexpr size_t kBufferBytes = 64 << 10;
constexpr int kGlanceMs = 50;

}  // namespace

RecordReader::RecordReader(int file, char delimiter, size_t most_bytes)
    : file_(file), delimiter_(delimiter), most_bytes_(most_bytes), buffer_(kBufferBytes, '\0') {}

absl::StatusOr<bool> RecordReader::Fill() {
  // A signal may interrupt another thread instead of this one.
  pollfd ready = {file_, POLLIN, 0};
  if (on_idle_ && poll(&ready, 1, 0) == 0) on_idle_();
  while (poll(&ready, 1, kGlanceMs) <= 0) {
    if (CaughtSignal() != 0) return absl::CancelledError("interrupted");
  }
  ssize_t size;
  do {
    size = read(file_, buffer_.data(), buffer_.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return absl::DataLossError(absl::StrCat("cannot read: ", ErrorText(errno)));
  left_ = std::string_view(buffer_.data(), static_cast<size_t>(size));
  return size > 0;
}

absl::StatusOr<std::string_view> RecordReader::Peek() {
  if (left_.empty()) {
    const absl::StatusOr<bool> more = Fill();
    if (!more.ok()) return more.status();
  }
  return left_;
}

absl::StatusOr<bool> RecordReader::Next(std::string* record) {
  record->clear();
  while (true) {
    if (left_.empty()) {
      const absl::StatusOr<bool> more = Fill();
      if (!more.ok()) return more.status();
      if (!*more) {
        if (record->empty()) return false;
        ++records_;
        return true;
      }
    }
    const size_t end = left_.find(delimiter_);
    const std::string_view part = left_.substr(0, end);
    const bool complete = end != std::string_view::npos;
    const size_t taken = part.size() + (complete ? 1 : 0);
    bytes_ += taken;
    left_.remove_prefix(taken);
    if (record->size() + part.size() > most_bytes_) {
      return absl::OutOfRangeError(
          absl::StrCat("it is longer than ", most_bytes_, " bytes, the limit"));
    }
    record->append(part);
    if (complete) {
      ++records_;
      return true;
    }
  }
}

}  // namespace ferrite::cli
