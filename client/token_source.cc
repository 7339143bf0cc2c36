#include "client/token_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

constexpr std::chrono::seconds kBetweenLooks(1);
// gRPC refuses metadata of more than 8 KiB altogether.
constexpr size_t kMaxTokenBytes = 7 << 10;
// Room for line feeds at the end of a file.
constexpr size_t kMaxFileBytes = kMaxTokenBytes + 64;

// When the file, or what the link to it leads to, changed last; 0: it is not there.
int64_t ChangedNs(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return 0;
  return int64_t{found.st_ctim.tv_sec} * 1'000'000'000 + found.st_ctim.tv_nsec;
}

absl::Status CheckToken(const std::string& text) {
  if (!text.empty() && text.size() <= kMaxTokenBytes &&
      std::all_of(text.begin(), text.end(), absl::ascii_isgraph)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("a token has 1 to ", kMaxTokenBytes,
                                                 " printable characters of ASCII and no blanks"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<TokenSource>> TokenSource::Make(const TokenOptions& options) {
  if (options.text.empty() && options.file.empty()) return std::shared_ptr<TokenSource>();
  if (!options.text.empty() && !options.file.empty()) {
    return absl::InvalidArgumentError(
        "token.text and token.file are both set: one says what it is");
  }
  std::shared_ptr<TokenSource> source(new TokenSource(options.file));
  MutexLock lock(&source->mutex_);
  const absl::Status status = options.file.empty() ? source->Take(options.text) : source->Read();
  if (status.ok()) return source;
  const std::string which =
      options.file.empty() ? "token.text" : absl::StrCat("token.file: ", options.file);
  return absl::InvalidArgumentError(absl::StrCat(which, ": ", status.message()));
}

absl::Status TokenSource::Take(std::string text) {
  if (absl::Status status = CheckToken(text); !status.ok()) return status;
  authorization_ = absl::StrCat("Bearer ", text);
  return absl::OkStatus();
}

absl::Status TokenSource::Read() {
  look_at_ = Clock::now() + kBetweenLooks;
  changed_ns_ = ChangedNs(file_);
  std::ifstream file(file_, std::ios::binary);
  if (!file) return absl::InvalidArgumentError("the file cannot be read");
  std::string text(kMaxFileBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  absl::StripTrailingAsciiWhitespace(&text);
  return Take(std::move(text));
}

std::string TokenSource::Authorization() {
  MutexLock lock(&mutex_);
  if (!file_.empty() && Clock::now() >= look_at_) {
    look_at_ = Clock::now() + kBetweenLooks;
    // Half a file is read again when it is whole.
    if (ChangedNs(file_) != changed_ns_) (void)Read();
  }
  return authorization_;
}

}  // namespace ferrite
