#include "client/cli/prompt/history_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/descriptor.h"

namespace ferrite::cli {
namespace {

constexpr mode_t kOwnerOnly = 0600;

// Opens the file for writing; none if that cannot be. Makes its directories.
Descriptor OpenFor(const std::string& path, int flags) {
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!std::filesystem::exists(folder, ignored)) {
    std::filesystem::create_directories(folder, ignored);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, ignored);
  }
  Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, kOwnerOnly));
  if (file.valid()) fchmod(file.get(), kOwnerOnly);
  return file;
}

void WriteAll(const Descriptor& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

std::string HistoryPath() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/ferrite/history";
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') return "";
  return std::string(home) + "/.local/state/ferrite/history";
}

std::vector<std::string> HistoryFile::Load() {
  std::vector<std::string> lines;
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.size() > kMostLines) {
    const bool long_file = lines.size() > 2 * kMostLines;
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMostLines));
    if (long_file) {
      const std::string fresh = path_ + ".new";
      Descriptor rewritten = OpenFor(fresh, O_TRUNC);
      if (rewritten.valid()) {
        for (const std::string& line : lines) WriteAll(rewritten, line + "\n");
        rewritten.Close();
        std::rename(fresh.c_str(), path_.c_str());
      }
    }
  }
  if (!lines.empty()) last_ = lines.back();
  return lines;
}

void HistoryFile::Append(std::string_view line) {
  if (path_.empty() || line.empty() || line.front() == ' ' || line == last_) return;
  last_ = line;
  const Descriptor file = OpenFor(path_, O_APPEND);
  if (file.valid()) WriteAll(file, last_ + "\n");
}

}  // namespace ferrite::cli
