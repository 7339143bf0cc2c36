#include "client/cli/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"

namespace ferrite::cli {

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const Session& session,
                                                           const std::string& name) {
  int file = STDIN_FILENO;
  if (name == "-") {
    if (absl::Status status = session.CheckInputIsFree(); !status.ok()) return status;
  } else {
    file = open(name.c_str(), O_RDONLY | O_CLOEXEC);
  }
  if (file < 0) {
    return absl::NotFoundError(absl::StrCat("cannot open ", name, ": ", ErrorText(errno)));
  }
  return std::unique_ptr<InputFile>(new InputFile(file));
}

InputFile::InputFile(int file) : file_(file) {
  struct stat status;
  if (fstat(file_, &status) == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<uint64_t>(status.st_size);
  }
}

InputFile::~InputFile() {
  if (file_ != STDIN_FILENO) close(file_);
}

}  // namespace ferrite::cli
