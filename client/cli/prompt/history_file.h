#pragma once

// The lines that were typed at the prompt, kept in a file that only its owner can read.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ferrite::cli {

// ferrite/history in the directory for state, as the XDG base directory specification has it;
// empty if there is no home.
std::string HistoryPath();

// Several prompts may share a file: each appends to it. Whatever cannot be read or written is
// silently not kept. Not thread-safe.
class HistoryFile {
 public:
  static constexpr size_t kMostLines = 1000;

  // With an empty `path` nothing is kept.
  explicit HistoryFile(std::string path) : path_(std::move(path)) {}

  // The last lines, oldest first. A file that has grown to twice as many is cut down.
  std::vector<std::string> Load();

  // Appends a line. One that begins with a blank is not kept, nor a repetition.
  void Append(std::string_view line);

 private:
  const std::string path_;
  std::string last_;
};

}  // namespace ferrite::cli
