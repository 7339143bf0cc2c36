#include "server/tls/private_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/check.h"

namespace ferrite {
namespace {

Descriptor FileOf(std::string_view content) {
  Descriptor file(memfd_create("ferrite-tls", MFD_CLOEXEC));
  if (!file.valid() ||
      write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    return {};
  }
  return file;
}

}  // namespace

PrivateFile::PrivateFile(std::string_view content)
    : file_(FileOf(content)), path_(absl::StrCat("/proc/self/fd/", file_.get())) {
  FERRITE_CHECK(file_.valid());
}

bool PrivateFile::Replace(std::string_view content) {
  const Descriptor made = FileOf(content);
  return made.valid() && dup3(made.get(), file_.get(), O_CLOEXEC) >= 0;
}

}  // namespace ferrite
