#include "client/cli/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error_text.h"

namespace ferrite::cli {

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const Session& session,
                                                           const std::string& name) {
  if (name == "-") {
    if (absl::Status status = session.CheckInputIsFree(); !status.ok()) return status;
    return std::unique_ptr<InputFile>(new InputFile(Descriptor()));
  }
  Descriptor file(open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return absl::NotFoundError(absl::StrCat("cannot open ", name, ": ", ErrorText(errno)));
  }
  return std::unique_ptr<InputFile>(new InputFile(std::move(file)));
}

InputFile::InputFile(Descriptor opened) : opened_(std::move(opened)) {
  struct stat status;
  if (fstat(file(), &status) == 0 && S_ISREG(status.st_mode)) {
    size_ = static_cast<uint64_t>(status.st_size);
  }
}

}  // namespace ferrite::cli
