#include "server/auth/peer_token.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ferrite {
namespace {

// More is no token that gRPC would carry.
constexpr size_t kMaxTokenBytes = 4096;

// When the file, or what the link to it leads to, changed last; 0: it is not there.
int64_t ChangedNs(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) return 0;
  return found.st_ctim.tv_sec * 1'000'000'000 + found.st_ctim.tv_nsec;
}

bool IsToken(const std::string& text) {
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         std::all_of(text.begin(), text.end(), absl::ascii_isgraph);
}

}  // namespace

absl::Status PeerToken::Load() {
  MutexLock lock(&mutex_);
  return path_.empty() ? absl::OkStatus() : Read();
}

absl::Status PeerToken::Read() {
  changed_ns_ = ChangedNs(path_);
  std::ifstream file(path_, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path_, ": cannot be read"));
  // Room for a few line feeds at its end.
  std::string text(kMaxTokenBytes + 16, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  absl::StripTrailingAsciiWhitespace(&text);
  if (!IsToken(text)) {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": a token has 1 to ", kMaxTokenBytes,
                                                   " printable characters and no blanks"));
  }
  authorization_ = absl::StrCat("Bearer ", text);
  return absl::OkStatus();
}

std::string PeerToken::Authorization() {
  if (path_.empty()) return {};
  MutexLock lock(&mutex_);
  if (ChangedNs(path_) != changed_ns_) {
    if (const absl::Status status = Read(); !status.ok())
      spdlog::error("the token for other nodes stays as it was: {}", std::string(status.message()));
  }
  return authorization_;
}

}  // namespace ferrite
