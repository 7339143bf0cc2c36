#pragma once

// What a command reads: a file that it opens, or the standard input.

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/descriptor.h"
#include "client/cli/session.h"

namespace ferrite::cli {

// Closes the file at its end.
class InputFile {
 public:
  // "-" is the standard input: FAILED_PRECONDITION if it holds commands. NOT_FOUND, with the
  // system's reason, if the file cannot be opened.
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const Session& session,
                                                         const std::string& name);

  // The open descriptor.
  int file() const { return opened_.valid() ? opened_.get() : STDIN_FILENO; }
  // Its length in bytes; 0: not known, as for a pipe.
  uint64_t size() const { return size_; }

 private:
  explicit InputFile(Descriptor opened);

  const Descriptor opened_;  // none: the standard input
  uint64_t size_ = 0;
};

}  // namespace ferrite::cli
